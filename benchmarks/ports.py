"""Ports for servers that take a while to start."""

from __future__ import annotations

import contextlib
import secrets
import socket

# Below the ephemeral ports, of which Ray alone uses dozens.
PORTS = range(20_000, 32_000)


def unused_port() -> int:
    """A free port that the system gives to nobody else before the server has bound it."""
    while True:
        port = secrets.choice(PORTS)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
