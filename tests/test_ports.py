"""A port that cannot be had is told from one that is taken, by every command that listens."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kezako import ports
from kezako.clean.server import open_cleaner
from kezako.errors import KezakoError
from kezako.serve.app import Server
from tests.needs import needs, only_where


def refused(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.fixture
def a_server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """One whose every port is refused as the test says, by `refusals`."""
    server = Server(port=81, port_retries=3, ip="127.0.0.1")
    server.asked = []

    def bind(port: int, ip: str) -> None:
        server.asked.append(port)
        raise refused(server.refusals[min(len(server.asked), len(server.refusals)) - 1])

    monkeypatch.setattr("kezako.serve.app.bind_sockets", bind)
    return server


@pytest.mark.parametrize(
    ("refusals", "asked", "said"),
    [([errno.EACCES], 4, "You may not listen at port 81: .* below 1024"),
     ([errno.EADDRINUSE], 4, "Port 81 is taken"),
     ([errno.EADDRINUSE, errno.EACCES], 4, "Port 81 is taken"),
     ([errno.EADDRNOTAVAIL], 1, "Nothing can listen at 127.0.0.1:81: ")],
)  # fmt: skip
def test_the_page_says_why(a_server: Server, refusals: list[int], asked: int, said: str) -> None:
    a_server.refusals = refusals
    with pytest.raises(KezakoError, match=said):
        a_server._bind()
    assert len(a_server.asked) == asked


def test_a_high_port_is_not_said_to_be_low() -> None:
    sentence = str(ports.why_not(refused(errno.EACCES), "127.0.0.1", 8866))
    assert "8866" in sentence
    assert "1024" not in sentence


def test_the_cleaner_and_the_engine_look_first(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(KezakoError, match=f"Port {port} is taken; name another"):
            open_cleaner(tmp_path / "clean.ipynb", tmp_path, "bears", port, browser=False)
        with pytest.raises(KezakoError, match=f"Port {port} is taken; name another"):
            ports.check("127.0.0.1", port)
    ports.check("127.0.0.1", port)


@only_where(os.name == "posix", "ports that are kept for root")
def test_a_person_without_rights_is_told_so() -> None:
    needs("root's rights", os.getuid() == 0)
    first = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    lowest = int(first.read_text()) if first.exists() else ports.PRIVILEGED
    assert lowest > 1, "here everybody may listen at every port"
    code = (
        "import os, sys; from kezako import ports; os.setgroups([]); os.setgid(65534);"
        "os.setuid(65534); ports.check('127.0.0.1', int(sys.argv[1]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(lowest - 1)], capture_output=True, text=True
    )
    said = ran.stderr.splitlines()[-1]
    assert ran.returncode != 0
    assert f"You may not listen at port {lowest - 1}" in said
