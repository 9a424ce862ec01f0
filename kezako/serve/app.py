"""`kezako serve`: Voilà with the inference notebook, as a public page.

`Server` is a Voilà application made from the modules here: snapshot kernels behind its kernel
manager, the template `kezako`, the API, and the `SessionManager`, which admits visitors and ends
visits.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import zmq
from jupyter_core.utils import run_sync
from jupyter_events import EventLogger
from jupyter_server.utils import url_path_join
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.web import GZipContentEncoding, HTTPError
from traitlets import Instance, List, Unicode, default
from traitlets.config import Config
from voila.app import Voila

from kezako import environment, ports
from kezako.api.routes import Api
from kezako.errors import KezakoError
from kezako.model import remote as engines
from kezako.model.bundle import CARD, COVER, CREDITS, HEAD, KNOWN, MODEL, list_bundles
from kezako.model.card import EXAMPLES
from kezako.model.runtime import TookTooLong
from kezako.serve import LANGUAGE_HEADER, LANGUAGE_VARIABLE, memory
from kezako.serve.cards import Cards
from kezako.serve.handlers import TICKET, EntryHandler, LeaveHandler
from kezako.serve.limits import MIB, Limits
from kezako.serve.listener import Listener
from kezako.serve.security import NotFound, Stranger, headers, quiet
from kezako.serve.sessions import STARTED, SessionManager, visit_log
from kezako.serve.site import routes
from kezako.serve.static import Files, assets
from kezako.serve.websocket import VisitorChannels, VisitorConnection
from kezako.workspace import Workspace
from voila_snapshot import provisioner, template
from voila_snapshot.logs import tame

PORT = 8866
# The files of a bundle that a page reads.
WATCHED = (CARD, MODEL, HEAD, KNOWN, CREDITS, COVER, f"{EXAMPLES}/*.jpg")
GOODBYE = 5  # seconds for shutting down kernels; hosts kill the server after ten
TEMPLATE = f"voila/templates/{template.NAME}"  # its folder and its URL path
KERNEL = r"(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)"


class Server(Voila):
    """Voilà that serves only the page, its static files and the API."""

    limits = Instance(Limits)
    workspace = Instance(Workspace)
    elsewhere: List[str] = List(
        help="The classifiers of the engine that answers; none: those here do."
    )
    boot = Unicode(help="Random, another for each start: pages tell a restart from a long sleep.")

    @default("boot")
    def _boot(self) -> str:
        return secrets.token_urlsafe(9)

    @default("log_level")
    def _log_level(self) -> int:
        return logging.WARNING  # the only line printed is the page's URL

    def initialize(self, argv: Sequence[str] | None = None) -> None:
        template.offer()
        super().initialize(argv)
        tame(self.log)
        # Else each kernel's manager creates its own EventLogger, whose `logging` logger is never
        # freed.
        self.event_logger = EventLogger(parent=self)
        provisioner.configure(
            self,
            watched=[str(self.workspace.models / "*" / name) for name in WATCHED],
            queries=self._queries,
        )

    def load_config_file(self, *arguments: Any, **settings: Any) -> None:
        """Read the maker's voila.json; it cannot change what visitors may do."""
        super().load_config_file(*arguments, **settings)
        self.update_config(_settings(self.limits, self.boot, _camera()))

    def _queries(self) -> list[str]:
        """The query strings for which the page differs: one per classifier."""
        return [urlencode({"model": name}) for name in self._models()]

    def _models(self) -> list[str]:
        return self.elsewhere or list_bundles(self.workspace.models)

    def init_settings(self) -> dict[str, Any]:
        settings = dict(super().init_settings())
        # ZeroMQ's default of 1,023 sockets is used up by a hundred visitors who open the page at
        # once.
        sockets = self.kernel_manager.context
        sockets.set(zmq.MAX_SOCKETS, sockets.get(zmq.SOCKET_LIMIT))
        self.host = SessionManager(self.limits, self.kernel_manager, visit_log())
        self.api = Api(
            self.workspace.models,
            default=environment.read("MODEL"),
            kernels=self.kernel_manager,
            elsewhere=bool(self.elsewhere),
        )
        engine = engines.chosen() if self.elsewhere else ""
        self.cards = Cards(self.workspace.models, self._models, engine)
        self._connect()
        return settings | {
            "transforms": [GZipContentEncoding, headers(self.limits, _camera())],
            "default_handler_class": NotFound,
            "log_function": quiet,
            "kezako_boot": self.boot,
            "kezako_log": self.log,
            "serve_traceback": False,
        }

    def _connect(self) -> None:
        """Connect host, API and snapshots: health checks and metrics."""
        host, api, snapshots = self.host, self.api, self.snapshots
        host.ready = lambda: bool(snapshots.state != "warming")
        api.health.add("page", host.ready)
        for name, help, read in (
            ("visitors", "Visitors who have the page open.", lambda: len(host.visitors)),
            ("free_places", "Visitors that there is room for now.", host.room),
            ("waiting_visitors", "In the queue.", lambda: host.visitors.waiting),
            ("waiting_pages", "Queue pages served instead of the page.", lambda: host.turned_away),
            ("visitor_bytes", "Expected memory of one more visitor.", lambda: host.size),
            ("snapshot_bytes", "Of snapshots and of kernels ahead.", snapshots.memory),
        ):
            api.metrics.gauge(f"kezako_{name}", help, read)

    def init_handlers(self) -> list[Any]:
        """All routes. Voilà's own routes for trees, files and logins are left out."""
        at = partial(url_path_join, self.server_url)
        host = {"host": self.host}
        static = template.FOLDER / TEMPLATE / "static"
        page = {
            "notebook_path": os.path.relpath(self.notebook_path, self.root_dir),
            "template_paths": self.template_paths,
            "config": self.config,
            "voila_configuration": self.voila_configuration,
            "cards": self.cards,
        }
        return [
            *self.api.handlers(self.server_url),
            (at("/"), EntryHandler, {**host, **page}),
            *((at(pattern), *rest) for pattern, *rest in routes(self.cards)),
            (at(f"{TEMPLATE}/static/(.*)"), Files, {"assets": assets(static)}),
            (at(f"/voila/api/shutdown/{KERNEL}"), LeaveHandler, host),
            (at(f"/api/kernels/{KERNEL}"), LeaveHandler, host),
            (at(f"/api/kernels/{KERNEL}/channels"), VisitorChannels, host),
        ]

    def listen(self) -> None:
        """Bind the port and serve until stopped. Raises `KezakoError` if it cannot bind."""
        self.ioloop = IOLoop.current()
        try:
            listener = Listener(self.app, limits=self.limits)
            listener.add_sockets(self._bind())
            self.ioloop.add_callback(self._open)
            self.ioloop.start()
        except KeyboardInterrupt:
            pass  # where the event loop gets no signals
        finally:
            self.stop()

    def _bind(self) -> list[socket.socket]:
        """Sockets for the requested port, or one near it. Raises `KezakoError`."""
        wanted = int(self.port)  # type: ignore[has-type]
        problem: KezakoError | None = None
        for port in self.random_ports(wanted, self.port_retries + 1):
            try:
                sockets = bind_sockets(port, self.ip)
            except OSError as error:
                problem = problem or ports.why_not(error, self.ip, port)
                if error.errno not in ports.TAKEN | ports.FORBIDDEN:
                    break  # no other port would help
            else:
                self.port = port
                return sockets
        assert problem
        raise problem

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        for stop in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):  # Windows
                loop.add_signal_handler(stop, self._close_soon)
        self.host.start()
        self.cards.default()  # reads the first card, so that the first visitor need not wait
        print(f"The page is at {self.display_url} (Ctrl+C stops it).", flush=True)
        if self.open_browser:
            self.launch_browser()
        await self.snapshots.settled()
        if self.snapshots.state == "ordinary":
            self.host.expect(STARTED)

    def launch_browser(self) -> None:
        Thread(target=webbrowser.open, args=(self.display_url,), daemon=True).start()

    def _close_soon(self) -> None:
        self._closing = asyncio.ensure_future(self._close())

    async def _close(self) -> None:
        try:
            await self.host.stop(GOODBYE)
        finally:
            self.ioloop.stop()

    def _handle_signal_stop(self, signal_number: int, frame: object) -> None:
        sys.exit(0)  # before the event loop runs: there are no visitors yet

    def stop(self) -> None:
        self.api.close()
        try:
            super().stop()
        except HTTPError as error:  # a kernel ended by itself just then
            if error.status_code != HTTPStatus.NOT_FOUND:
                raise
            with suppress(HTTPError):
                run_sync(self.kernel_manager.shutdown_all)()  # the others
        finally:
            self.snapshots.stop()


def _camera() -> bool:
    """Whether the page may offer the camera. Raises `KezakoError`."""
    return environment.read("CAMERA") is not False


def _settings(limits: Limits, boot: str, camera: bool) -> Config:
    """Configuration of the libraries that overrides any configuration file."""
    page = {
        "upload_limit": limits.upload, "camera": camera, "boot": boot,
        "forget": [TICKET],  # nobody else should get a link with it
    }  # fmt: skip
    return Config(
        Voila={
            "identity_provider_class": Stranger,
            "kernel_websocket_connection_class": VisitorConnection,
        },
        VoilaConfiguration={
            "template": template.NAME,
            "allow_template_override": "NO",  # ignores ?template= in the URL
            "allow_theme_override": "NO",
            "file_allowlist": [],
            "http_header_envs": [LANGUAGE_HEADER],
            "preheat_kernel": False,
            "progressive_rendering": False,
            "resources": {"kezako": page},
            "show_tracebacks": False,
        },
        Snapshots={
            "limit": _snapshots(memory.total()),
            "reduced": {LANGUAGE_VARIABLE: "kezako.words.accepted"},
        },
        MappingKernelManager={
            "cull_idle_timeout": 0,  # `SessionManager` ends visits instead, and tells the page why
            "kernel_info_timeout": 30,
        },
    )


def _snapshots(
    total: int,  # bytes of this machine's memory
) -> int:
    """How many pages are kept ready: one for each language and classifier that visitors ask for.

    A language takes about 6 MB of what visitors could have, a classifier that and its model.
    """
    return max(6, min(24, total // (64 * MIB)))


def _found(engine: str) -> list[str]:
    """The classifiers of an engine. Raises `KezakoError` if nothing answers."""
    try:
        names = engines.names(engine)
    except (engines.EngineError, TookTooLong):
        names = []
    if not names:
        raise KezakoError(f"No engine answers at {engine}. Start one: kezako scale serve NAME")
    return names


def serve(
    notebook: Path,
    workspace: Workspace,  # its models/ are offered
    name: str | None = None,  # the default classifier, unless the page's URL names one
    host: str = "127.0.0.1",
    port: int | None = None,  # exactly this one; None: 8866, or a free one near it
    browser: bool = True,  # open one, if there is one
    limits: Limits | None = None,  # None: from this machine's size and the environment
    engine: str | None = None,  # URL of an engine; None: the models here answer
) -> None:
    """Serve the page until stopped. Raises `KezakoError`."""
    engine = engines.address_of(engine) if engine else engines.chosen()
    elsewhere = _found(engine) if engine else []
    os.environ["KEZAKO_HOME"] = str(workspace.root)  # kernels inherit the environment
    os.environ["KEZAKO_ENGINE"] = engine
    os.environ["KEZAKO_MODEL"] = name or ""
    package = str(Path(__file__).parents[2])  # a kernel starts in the notebook's folder
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, (package, os.environ.get("PYTHONPATH")))
    )
    arguments = [str(notebook), f"--Voila.root_dir={notebook.parent}", f"--Voila.ip={host}"]
    arguments += [f"--port={port or PORT}", *([] if port is None else ["--Voila.port_retries=0"])]
    Server.launch_instance(
        arguments if browser else [*arguments, "--no-browser"],
        elsewhere=elsewhere,
        limits=limits or Limits.here(),
        workspace=workspace,
    )
