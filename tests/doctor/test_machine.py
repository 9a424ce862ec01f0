"""Ports that somebody has, and a host of weights that does not answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kezako.clean import server
from kezako.doctor import machine
from kezako.doctor.training import _weights
from kezako.serve import app


def test_the_ports_are_those_that_the_commands_try_first() -> None:
    assert machine.PORTS == {"page": app.PORT, "cleaner": server.PORT}


def test_a_taken_port_is_told_with_the_next_that_is_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (found,) = machine.ports({"page": port})
    assert found.mark == "--"
    assert f"{port} is taken" in found.found
    assert found.what == "port of the page"
    (found,) = machine.ports({"page": port})
    assert found.mark == "ok"


@pytest.fixture
def a_host() -> Iterator[str]:
    """The address of a server that has `resnet18.pth` and nothing else."""

    class Host(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200 if self.path == "/resnet18.pth" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("file", "mark", "words"),
    [("resnet18.pth", "ok", "can be downloaded"), ("lost.pth", "--", "it answered 404")],
)
def test_the_host_of_the_weights_is_asked(a_host: str, file: str, mark: str, words: str) -> None:
    found = {"address": f"{a_host}/{file}", "is_cached": False, "cached": "x", "starter": True}
    weights, starter = _weights(found, offline=False)
    assert (weights.mark, starter.mark) == (mark, "ok")
    assert words in weights.found
    offline, _ = _weights(found, offline=True)
    assert "not asked for" in offline.found
