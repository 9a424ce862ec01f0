"""Explain why a server cannot listen on a port, and what to do."""

from __future__ import annotations

import errno
import os
import socket

from kezako.errors import KezakoError

FORBIDDEN = {errno.EACCES, errno.EPERM, getattr(errno, "WSAEACCES", errno.EACCES)}
TAKEN = {errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)}
PRIVILEGED = 1024  # ports below it need special permission


def check(host: str, port: int) -> None:
    """Raise `KezakoError` if a server cannot listen on `port` of `host`."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if os.name == "posix":  # on Windows this would steal a port in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise why_not(error, host, port) from None


def why_not(error: OSError, host: str, port: int) -> KezakoError:
    """The `KezakoError` for an error of binding `port` of `host`."""
    if error.errno in TAKEN:
        return KezakoError(f"Port {port} is taken; name another one with --port.")
    if error.errno in FORBIDDEN:
        low = f", as for all below {PRIVILEGED}" if port < PRIVILEGED else ""
        return KezakoError(
            f"You may not listen at port {port}: this system asks for more rights{low}. "
            "Name another one with --port."
        )
    return KezakoError(f"Nothing can listen at {host}:{port}: {error.strerror or error}.")
