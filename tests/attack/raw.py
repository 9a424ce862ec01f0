"""Requests that no library would send."""

from __future__ import annotations

import contextlib
import socket
from urllib.parse import urlsplit

TIMEOUT = 20  # seconds


def connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    return socket.create_connection((parts.hostname, parts.port), timeout=TIMEOUT)


def send(address: str, request: bytes, *, hangs_up: bool = False) -> bytes:
    """What comes back until the server closes; empty when it just closes.

    `hangs_up`: nothing more will be sent, so that the server need not wait for the rest.
    """
    received = b""
    with connect(address) as connection, contextlib.suppress(OSError):
        connection.sendall(request)
        if hangs_up:
            connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            received += part
    return received


def status(answer: bytes) -> int:
    """0 when the server said nothing."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def get(path: str, *headers: str, host: str = "localhost") -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")
