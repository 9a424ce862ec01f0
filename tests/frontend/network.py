"""A network between a browser and a server: it counts bytes, can be held up, and cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from urllib.parse import urlsplit

CHUNK = 1 << 16


class Network:
    """Passes TCP connections on to the server at `address`, from a port of its own."""

    def __init__(self, address: str):
        server = urlsplit(address)
        self._server = (server.hostname or "", server.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        # So that what is held up stays with the browser, rather than in between.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, CHUNK)
        self._flows = threading.Event()
        self._flows.set()
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.up = True
        self.sent = 0  # bytes from browser to server
        self.received = 0

    def __enter__(self) -> Network:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._listener.close()
        self.flow()
        self.cut()

    def cut(self) -> None:
        """End all connections; no new one is let through until `mend`."""
        self.up = False
        with self._lock:
            ends, self._sockets = self._sockets, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.up = True

    def hold(self) -> None:
        """Pass on nothing that the browser sends, until `flow`."""
        self._flows.clear()

    def flow(self) -> None:
        self._flows.set()

    def _listen(self) -> None:
        while True:
            try:
                browser, _ = self._listener.accept()
            except OSError:  # closed
                return
            if not self.up:
                browser.close()
                continue
            server = socket.create_connection(self._server)
            with self._lock:
                self._sockets += [browser, server]
            threading.Thread(target=self._pass, args=(browser, server, "sent"), daemon=True).start()
            threading.Thread(
                target=self._pass, args=(server, browser, "received"), daemon=True
            ).start()

    def _pass(self, source: socket.socket, target: socket.socket, count: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                if count == "sent":
                    self._flows.wait()
                with self._lock:
                    setattr(self, count, getattr(self, count) + len(data))
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
