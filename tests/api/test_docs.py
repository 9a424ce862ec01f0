"""The examples of docs/api.md do what they say, against a live server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.client import Client, colour
from tests.api.conftest import TOKEN
from tests.needs import needs

SWITCH = "KEZAKO_API"
ADDRESS = "http://127.0.0.1:8866/"
DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.M | re.S)


def blocks(language: str, *words: str) -> list[str]:
    found = [text for kind, text in BLOCKS if kind == language and all(w in text for w in words)]
    assert found, f"docs/api.md has no {language} example with {words}"
    return found


@pytest.fixture
def a_folder(tmp_path: Path) -> Path:
    """Where the examples' files lie."""
    (tmp_path / "bear.jpg").write_bytes(colour(250, 20, 20))
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def ran(api: Client, folder: Path, command: list[str], **more: str) -> str:
    """What `command` prints, with the address of this server for the documented one."""
    assert any(ADDRESS in part for part in command)
    command = [part.replace(ADDRESS, api.address) for part in command]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **more},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize("text", blocks("bash", "curl", "/api/predict"))
def test_curl(an_api: Client, a_guarded_api: Client, a_folder: Path, text: str) -> None:
    needs("curl", shutil.which("curl"))
    api = a_guarded_api if "TOKEN" in text else an_api
    text = text.replace("?model=bears", "?model=colours")
    printed = ran(api, a_folder, ["bash", "-ec", text], KEZAKO_API_TOKEN=TOKEN).splitlines()
    answer = json.loads(printed[-1])
    if "notes.txt" in text:
        assert [set(one) & {"label", "error"} for one in answer["answers"]] == [
            {"label"},
            {"error"},
        ]
    else:
        assert answer["label"] == "red"


def test_python(an_api: Client, a_folder: Path) -> None:
    (text,) = blocks("python")
    assert ran(an_api, a_folder, [sys.executable, "-c", text]) == "This is red.\n"


def test_javascript(an_api: Client, a_folder: Path) -> None:
    needs("Node.js", shutil.which("node"))
    (text,) = blocks("js")
    command = ["node", "--input-type=module", "-e", text]
    assert ran(an_api, a_folder, command) == "This is red.\n"


def test_the_answer_that_it_shows(an_api: Client) -> None:
    shown = json.loads(blocks("json", '"milliseconds"')[0])
    assert list(an_api.send(colour(250, 20, 20)).json()) == list(shown)
