"""Why nothing can listen at a port, in a sentence that says what to do."""

from __future__ import annotations

import errno
import os
import socket

from kezako.errors import KezakoError

FORBIDDEN = {errno.EACCES, errno.EPERM, getattr(errno, "WSAEACCES", errno.EACCES)}
TAKEN = {errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)}
PRIVILEGED = 1024  # below it, systems ask for more than a person's own rights


def check(host: str, port: int) -> None:
    """Raise `KezakoError` where nothing can listen at `port` of `host`."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if os.name == "posix":  # elsewhere this would take a port from who has it
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise why_not(error, host, port) from None


def why_not(error: OSError, host: str, port: int) -> KezakoError:
    """The sentence for what binding `port` of `host` raised."""
    if error.errno in TAKEN:
        return KezakoError(f"Port {port} is taken; name another one with --port.")
    if error.errno in FORBIDDEN:
        low = f", as for all below {PRIVILEGED}" if port < PRIVILEGED else ""
        return KezakoError(
            f"You may not listen at port {port}: this system asks for more rights{low}. "
            "Name another one with --port."
        )
    return KezakoError(f"Nothing can listen at {host}:{port}: {error.strerror or error}.")
