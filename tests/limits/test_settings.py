"""Limits come from the machine, the environment and the command line; nonsense is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kezako.serve.limits import MIB, Limits


def test_the_command_line_wins_over_the_environment() -> None:
    assert Limits.here({"KEZAKO_VISITORS": "7"}).visitors == 7
    assert Limits.here({"KEZAKO_VISITORS": "7"}, visitors=9).visitors == 9
    assert Limits.here({"KEZAKO_VISITORS": "7"}, visitors=None).visitors == 7
    assert Limits.here({"KEZAKO_IDLE": "2.5"}).idle == 2.5


def test_a_proxy_is_believed_where_one_is_told_of() -> None:
    assert not Limits.here({}).behind_proxy
    assert Limits.here({"DYNO": "web.1"}).behind_proxy
    assert Limits.here({"KEZAKO_BEHIND_PROXY": "1"}).behind_proxy
    assert not Limits.here({"DYNO": "web.1", "KEZAKO_BEHIND_PROXY": "0"}).behind_proxy


def test_a_photo_leaves_room_on_a_small_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kezako.serve.memory.total", lambda: 512 * MIB)
    assert Limits.here({}).upload == 32 * MIB
    monkeypatch.setattr("kezako.serve.memory.total", lambda: 16384 * MIB)
    assert Limits.here({}).upload == 64 * MIB


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEZAKO_VISITORS", "many"),
        ("KEZAKO_VISITORS", "0"),
        ("KEZAKO_IDLE", "soon"),
        ("KEZAKO_BEHIND_PROXY", "perhaps"),
        ("KEZAKO_FRAME_ANCESTORS", "'self'; script-src *"),
        ("KEZAKO_FRAME_ANCESTORS", "'self'\r\nX-Evil: 1"),
    ],
)
def test_nonsense_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        Limits.here({name: value})


@pytest.mark.parametrize("arguments", [["--visitors", "0"], ["--frame-ancestors", "a;b"]])
def test_the_command_says_what_is_wrong_in_a_sentence(arguments: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "kezako", "serve", *arguments], capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert "give" in ran.stderr
