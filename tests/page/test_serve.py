"""`kezako serve`: what it refuses, what it says, and what it does not hand out."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.page.conftest import ROOT
from tests.servers import DEADLINE


def kezako(home: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "KEZAKO_HOME": str(home)}
    return subprocess.Popen(
        [sys.executable, "-m", "kezako", "serve", *arguments],
        cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_an_unknown_classifier_is_refused_with_what_to_do(tmp_path: Path) -> None:
    server = kezako(tmp_path, "wolves")
    _, said = server.communicate(timeout=DEADLINE)
    assert server.returncode == 2
    assert "kezako train wolves" in said


def test_a_port_that_was_asked_for_is_taken_or_nothing(
    tmp_path: Path, a_bundle: Callable[..., Path]
) -> None:
    a_bundle(tmp_path / "models", "colours", ("red", "green"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = kezako(tmp_path, "colours", "--no-browser", "--port", str(port))
        _, said = server.communicate(timeout=DEADLINE)
    assert server.returncode == 2
    assert f"kezako: Port {port} is taken" in said
    assert "Traceback" not in said


def test_it_says_where_the_page_is_and_stops_when_asked(a_workspace: Path) -> None:
    server = kezako(a_workspace, "colours", "--no-browser")
    assert server.stdout
    line = server.stdout.readline()
    address = line.split()[4]
    assert urllib.request.urlopen(address + "metrics", timeout=30).status == 200
    server.send_signal(signal.SIGINT)
    server.communicate(timeout=DEADLINE)
    assert server.returncode == 0


@pytest.mark.parametrize("path", ["app.ipynb", "../README.md", "../docs/page.png"])
def test_files_beside_the_page_are_not_handed_out(a_kezako_serve: str, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{a_kezako_serve}voila/files/{path}", timeout=30)
    assert refused.value.code in (403, 404)
