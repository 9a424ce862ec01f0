"""A kernel in two states: asleep it runs cells without any connection; each fork of it wakes up.

Asleep, it has only what survives `fork()`: no sockets, threads or event loop. Awake, it is an
ordinary ipykernel with four threads instead of eleven: without debugger and subshells, which
visitors may not use, and with control channel and heartbeat on the publishing thread.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from inspect import signature
from typing import Any
from uuid import uuid4

import zmq
from ipykernel.iostream import BackgroundSocket, IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel
from jupyter_client.session import Session
from tornado.ioloop import IOLoop
from traitlets.config import Config
from zmq.eventloop.zmqstream import ZMQStream

from voila_snapshot.ipc import ADDRESS
from voila_snapshot.recording import Output, Recorder, as_messages

# Newer versions of ipykernel welcome subscribers; 7.1 does not.
_WELCOMES = "session" in signature(IOPubThread).parameters
CHANNELS = ("shell", "control", "stdin", "hb", "iopub")


class Publisher(IOPubThread):
    """Publishes a kernel's messages: to `recorder` while asleep, from a thread when awake."""

    def __init__(self, session: Session, recorder: Recorder):
        self.session, self._recorder, self._awake = session, recorder, False
        self.thread = threading.Thread()  # never started: asleep, everything is synchronous
        self.io_loop: Any = _NoLoop()
        self.background_socket = BackgroundSocket(self)
        self.socket = None
        self._pipe_flag = False

    def wake(self, socket: zmq.Socket[bytes]) -> None:
        """Publish to `socket` from now on; `start` starts the thread."""
        known = self.background_socket
        super().__init__(socket, pipe=True, **({"session": self.session} if _WELCOMES else {}))
        self.background_socket, self._awake = known, True

    def _really_send(self, parts: list[bytes], *args: Any, **settings: Any) -> None:
        if self._awake:
            super()._really_send(parts, *args, **settings)
            return
        _, message = self.session.feed_identities(parts)
        content = self.session.deserialize(message)
        self._recorder.take(content["header"]["msg_type"], content["content"])


class _NoLoop:
    """A stand-in for the event loop of a stream that is flushed at the end of its cell."""

    def call_later(self, *_: Any) -> None:
        pass


class ForkableKernel(IPythonKernel):
    """An ipykernel that exits at once when asked, and answers known cells with stored outputs."""

    def __init__(self, **settings: Any):
        super().__init__(**settings)
        self.known: list[tuple[str, list[Output]]] = []  # cells that have run: source, outputs

    def start(self) -> None:
        Kernel.start(self)  # skips IPythonKernel.start, which starts the debugger

    async def shutdown_request(self, stream: Any, identity: Any, parent: Any) -> None:
        content = {"status": "ok", "restart": parent["content"].get("restart", False)}
        self.session.send(stream, "shutdown_reply", content, parent, ident=identity)
        self.control_stream.flush(zmq.POLLOUT)
        self.end()

    def end(self) -> None:
        """Exit without cleaning up: a fork must not destroy what it was copied from."""
        os._exit(0)

    async def do_execute(self, code: str, silent: bool, *args: Any, **settings: Any) -> Any:
        # Voilà runs the notebook's cells in each kernel; in a fork they have run already.
        if self.known and code == self.known[0][0]:
            parent = self.get_parent("shell")
            for kind, content in as_messages(self.known.pop(0)[1]):
                self.session.send(self.iopub_socket, kind, content, parent, ident=self._topic(kind))
            count = self.execution_count
            return {"status": "ok", "execution_count": count, "user_expressions": {}, "payload": []}
        return await super().do_execute(code, silent, *args, **settings)


class ForkableApp(IPKernelApp):
    """The application of a `ForkableKernel`: asleep after `initialize`, awake after `wake`."""

    kernel_class = ForkableKernel
    recorder: Recorder
    publisher: Publisher

    def initialize(self, argv: list[str] | None = None) -> None:
        """Create the kernel and its shell, and nothing that cannot be forked."""
        super(IPKernelApp, self).initialize(argv or [])
        self.update_config(Config({"HistoryManager": {"enabled": False}}))
        self.recorder = Recorder()
        # Without copying, pyzmq would create its own context and thread.
        self.session = Session(parent=self, key=b"asleep", copy_threshold=sys.maxsize)
        self.publisher = Publisher(self.session, self.recorder)
        self.iopub_thread = self.publisher
        self.iopub_socket = self.publisher.background_socket
        self.init_pdb()
        self._init_streams()
        self.init_signal()
        self._init_kernel()
        self.init_path()
        self.init_shell()
        self.init_gui_pylab()
        self.init_extensions()
        self.init_code()

    def _init_streams(self) -> None:
        for name in ("stdout", "stderr"):
            setattr(sys, name, OutStream(self.session, self.publisher, name, watchfd=False))
        self.streams: list[OutStream] = [sys.stdout, sys.stderr]  # type: ignore[list-item]
        self.patch_io()

    def _init_kernel(self) -> None:
        self.kernel = self.kernel_class.instance(  # type: ignore[attr-defined]
            parent=self,
            session=self.session,
            iopub_thread=self.publisher,
            iopub_socket=self.iopub_socket,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )

    def run(self, source: str) -> tuple[list[Output], str]:
        """Run a cell; returns its outputs and the error, or ""."""
        parent = self.session.msg("execute_request", {"code": source})
        self.kernel.set_parent([b"asleep"], parent)
        self.recorder.begin()
        result = self.shell.run_cell(source, store_history=True)
        sys.stdout.flush()
        sys.stderr.flush()
        error = result.error_before_exec or result.error_in_exec
        return self.recorder.end(), f"{type(error).__name__}: {error}" if error else ""

    def forget(self) -> None:
        """In a fork that is asleep: as before the first cell, but modules stay imported."""
        # Not destroyed: libraries may not expect that in another process than their own.
        self._former = dict(self.shell.user_ns)
        self.session.pid = os.getpid()  # what it sends is recorded in this process, too
        if widgets := sys.modules.get("ipywidgets"):
            self.recorder.begin()
            widgets.Widget.close_all()
            self.recorder.end()
        self.shell.reset()
        self.kernel.known = []

    def wake(self) -> dict[str, int]:
        """In a fork: open the channels. Returns their ports; call `live` or `rehearse` next."""
        self.context = zmq.Context()
        sockets = {name: self.context.socket(zmq.ROUTER) for name in CHANNELS[:-1]}
        sockets["iopub"] = self.context.socket(zmq.XPUB if _WELCOMES else zmq.PUB)
        ports = {f"{name}_port": _bind(socket) for name, socket in sockets.items()}
        self.publisher.wake(sockets["iopub"])
        for stream in self.streams:
            stream._io_loop, stream._master_pid = self.publisher.io_loop, os.getpid()
        kernel = self.kernel
        kernel.stdin_socket = sockets["stdin"]
        kernel.control_stream = ZMQStream(sockets["control"], self.publisher.io_loop)
        kernel.shell_stream = ZMQStream(sockets["shell"], IOLoop.current())
        self._heartbeat = ZMQStream(sockets["hb"], self.publisher.io_loop)
        self._heartbeat.on_recv(self._heartbeat.send_multipart)
        self._ports = ports
        kernel.record_ports(ports)
        return ports

    def rehearse(self, done: Callable[[], None]) -> None:
        """In an awake fork: answer a request from itself, then call `done`."""
        key = b"rehearsal"
        asking = Session(key=key)
        client = ZMQStream(self.context.socket(zmq.DEALER), IOLoop.current())
        client.socket.connect(f"tcp://{ADDRESS}:{self._ports['shell_port']}")
        client.on_recv(lambda _: done())
        asking.send(client, "kernel_info_request")
        self.live(key, None, lambda: None)

    def live(self, key: bytes, orphaned: int | None, handled: Callable[[], None]) -> None:
        """In an awake fork: serve one visitor until the process ends.

        `key` signs messages. When the file descriptor `orphaned` becomes readable, the server is
        gone. `handled` is called after each message from the visitor.
        """
        session = self.session
        session.key, session.session, session.pid = key, str(uuid4()), os.getpid()
        session.digest_history = set()
        self.kernel.ident = str(uuid4())
        self.kernel.set_parent([], {})
        self.kernel.post_handler_hook = _after(self.kernel.post_handler_hook, handled)
        if orphaned is not None:
            self.publisher.io_loop.add_handler(orphaned, lambda *_: os._exit(0), IOLoop.READ)
        self.kernel.start()
        self.publisher.start()
        IOLoop.current().start()


def _bind(socket: zmq.Socket[bytes]) -> int:
    socket.linger = 1000
    if socket.type == zmq.ROUTER:
        socket.router_handover = 1  # a visitor who reconnects replaces the old connection
    return socket.bind_to_random_port(f"tcp://{ADDRESS}")


def _after(first: Callable[[], None], then: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        first()
        then()

    return both
