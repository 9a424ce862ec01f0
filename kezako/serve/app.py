"""`kezako serve`: Voilà on the inference notebook."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from tornado.ioloop import IOLoop
from traitlets import default
from voila.app import Voila

from kezako.serve import MAX_MESSAGE

IDLE = 600  # seconds after which the kernel of a visitor who has left is ended
PORT = 8866


class Server(Voila):
    """Voilà with the limits that photos and passers-by need."""

    @default("log_level")
    def _log_level(self) -> int:
        return logging.WARNING  # a maker reads one line: where the page is

    @default("tornado_settings")
    def _tornado_settings(self) -> dict[str, object]:
        return {"websocket_max_message_size": MAX_MESSAGE}

    def initialize(self, argv: Sequence[str] | None = None) -> None:
        super().initialize(argv)
        # Voilà would hand out the pictures beside the notebook; the page needs none of them.
        self.voila_configuration.file_allowlist = []
        # A closed tab tells nobody, so kernels without a connection end by the clock.
        kernels = self.config.AsyncMappingKernelManager
        kernels.setdefault("cull_idle_timeout", IDLE)
        kernels.setdefault("cull_interval", IDLE // 10)

    def start(self) -> None:
        IOLoop.current().add_callback(self._say_where)  # the port is known once the loop runs
        super().start()

    def _say_where(self) -> None:
        print(f"The page is at {self.display_url} (Ctrl+C stops it).", flush=True)


def serve(
    notebook: Path,
    home: Path,  # the workspace whose models/ the page offers
    name: str | None = None,  # the classifier that answers unless the address names another
    host: str = "127.0.0.1",
    port: int | None = None,  # exactly this one; None: 8866, or one near it that is free
    browser: bool = True,  # open one, if there is one
) -> None:
    """Serve the page until it is stopped."""
    os.environ["KEZAKO_HOME"] = str(home)  # kernels inherit the environment
    os.environ["KEZAKO_MODEL"] = name or ""
    package = str(Path(__file__).parents[2])  # a kernel starts in the notebook's folder
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, (package, os.environ.get("PYTHONPATH")))
    )
    arguments = [str(notebook), f"--Voila.root_dir={notebook.parent}", f"--Voila.ip={host}"]
    arguments += [f"--port={port or PORT}", *([] if port is None else ["--Voila.port_retries=0"])]
    Server.launch_instance(arguments if browser else [*arguments, "--no-browser"])
