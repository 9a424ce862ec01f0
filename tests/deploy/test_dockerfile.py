"""The Dockerfiles pass hadolint, and hold to what hosts of containers ask for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.container import instructions

ROOT = Path(__file__).parents[2]
FOLDERS = {"of the repository": ROOT, "for Spaces": ROOT / "kezako" / "deploy" / "files" / "spaces"}


@pytest.fixture(params=FOLDERS)
def the_folder(request: pytest.FixtureRequest) -> Path:
    return FOLDERS[request.param]


def test_it_passes_hadolint(the_folder: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, the_folder / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_what_hosts_ask_for(the_folder: Path) -> None:
    steps = [(step["instruction"], step["value"]) for step in instructions(the_folder)]
    last = dict(steps)
    assert last["FROM"] == "python:3.11-slim"
    assert last["USER"] == "1000", "and by number, so that a host can see that it is not root"
    assert last["EXPOSE"] == "7860"
    assert "/healthz" in last["HEALTHCHECK"]
    assert last["CMD"].startswith("["), "without a shell, so that SIGTERM reaches the server"
    assert "https://huggingface.co" in last["ENV"]
    words = [word for word, _ in steps]
    assert words.index("COPY") < words.index("RUN", words.index("COPY")), "pins before the code"
    assert words.count("USER") == 1
    assert "COPY" not in words[words.index("USER") :], "what is copied belongs to root"
