"""A thousand connections that never ask, ask slowly or send slowly: others are served meanwhile."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections.abc import Iterator

import pytest

from tests.attack.raw import connect
from tests.limits.guest import visit
from tests.needs import needs

MANY = 1200
BEGINNINGS = {
    "silent": b"",
    "slow headers": b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "slow body": b"POST /api/predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
    b"Content-Length: 1000000\r\n\r\nabc",
    "slow goodbye": b"POST /voila/api/shutdown/1-2-3-4-5 HTTP/1.1\r\nHost: x\r\n"
    b"Content-Length: 1000\r\n\r\nabc",
}


@pytest.fixture
def enough_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = hard == resource.RLIM_INFINITY or hard >= MANY + 200
    needs("many open files", allowed, f"a process may have {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, MANY + 200), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("enough_files")
@pytest.mark.parametrize("case", BEGINNINGS)
def test_others_are_served_meanwhile(the_target: str, case: str) -> None:
    held: list[socket.socket] = []
    try:
        for _ in range(MANY):
            connection = connect(the_target)
            held.append(connection)
            with contextlib.suppress(ConnectionError):  # this one was let go already
                connection.sendall(BEGINNINGS[case])
        visit(the_target)
        visit(the_target)
    finally:
        for connection in held:
            connection.close()
