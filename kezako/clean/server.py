"""The cleaner on its own page: plain Voilà on localhost, for the maker only."""

from __future__ import annotations

import logging
import os
import threading
import webbrowser
from pathlib import Path

from tornado.ioloop import IOLoop
from traitlets import default
from voila.app import Voila

from kezako import ports

HERE = "127.0.0.1"
PORT = 8868  # the page of a classifier starts at 8866


class Workshop(Voila):
    """Voilà that listens on localhost and needs the token in its address.

    It shows every gathered picture, and 127.0.0.1 can be reached by other users' programs on this
    machine and by pages in the maker's own browser.
    """

    @default("log_level")
    def _log_level(self) -> int:
        return logging.WARNING  # the only line printed is the cleaner's URL

    @default("auto_token")
    def _auto_token(self) -> bool:
        return True

    def initialize(self, argv: list[str] | None = None) -> None:
        super().initialize(argv)
        # The page needs no files from the notebook's folder.
        self.voila_configuration.file_allowlist = []

    def start(self) -> None:
        IOLoop.current().add_callback(self._say_where)  # the port is known once the loop runs
        super().start()

    def launch_browser(self) -> None:
        """Open the URL with its token; Voilà would open a page that asks for it."""
        threading.Thread(target=webbrowser.open, args=[self.display_url], daemon=True).start()

    def _say_where(self) -> None:
        print(f"The cleaner is at {self.display_url} (Ctrl+C stops it).", flush=True)


def open_cleaner(
    notebook: Path,
    home: Path,  # the workspace
    name: str,  # the recipe to show first
    port: int | None = None,  # exactly this one; None: 8868, or a free one near it
    browser: bool = True,  # open one, if there is one
) -> None:
    """Serve the cleaner on 127.0.0.1 until stopped. Raises `KezakoError` if `port` is taken."""
    if port is not None:
        ports.check(HERE, port)
    os.environ["KEZAKO_HOME"] = str(home)  # kernels inherit the environment
    os.environ["KEZAKO_MODEL"] = name
    package = str(Path(__file__).parents[2])  # a kernel starts in the notebook's folder
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, (package, os.environ.get("PYTHONPATH")))
    )
    arguments = [str(notebook), f"--Voila.root_dir={notebook.parent}", f"--Voila.ip={HERE}"]
    arguments += [f"--port={port or PORT}", *([] if port is None else ["--Voila.port_retries=0"])]
    Workshop.launch_instance(arguments if browser else [*arguments, "--no-browser"])
