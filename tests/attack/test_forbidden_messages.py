"""A visitor who sends anything but widget messages is disconnected, and nothing of it is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.edited import edited
from tests.limits.guest import Guest

REFUSED = 4403
SHELL = {
    "execute": ("execute_request", {"code": "CODE", "silent": False}),
    "inspect": ("inspect_request", {"code": "CODE", "cursor_pos": 1}),
    "complete": ("complete_request", {"code": "CODE", "cursor_pos": 1}),
    "history": ("history_request", {"output": True, "raw": True, "hist_access_type": "tail"}),
    "is complete": ("is_complete_request", {"code": "CODE"}),
    "shutdown": ("shutdown_request", {"restart": False}),
    "interrupt": ("interrupt_request", {}),
    "debug": ("debug_request", {"type": "request", "command": "evaluate"}),
    "subshell": ("create_subshell_request", {}),
    "input": ("input_reply", {"value": "CODE"}),
    "apply": ("apply_request", {}),
    "nothing": ("", {}),
    "a list": (["execute_request"], {}),
    "other comm": ("comm_open", {"comm_id": "a", "target_name": "matplotlib", "data": {}}),
    "module": (
        "comm_open",
        {"comm_id": "a", "target_name": "jupyter.widget", "target_module": "os", "data": {}},
    ),
    "long id": ("comm_msg", {"comm_id": "a" * 1000, "data": {}}),
    "odd id": ("comm_msg", {"comm_id": "a\nb", "data": {"method": "update"}}),
    "no data": ("comm_msg", {"comm_id": "a", "data": "text"}),
    "no method": ("comm_msg", {"comm_id": "a", "data": {}}),
    "other method": ("comm_msg", {"comm_id": "a", "data": {"method": "CODE"}}),
    "a list of methods": ("comm_msg", {"comm_id": "a", "data": {"method": ["update"]}}),
}


@pytest.mark.parametrize("case", SHELL)
def test_on_the_shell(the_target: str, tmp_path: Path, case: str) -> None:
    canary = tmp_path / "canary"
    kind, content = json.loads(
        json.dumps(SHELL[case]).replace("CODE", f"open('{canary}', 'w').write('run')")
    )
    guest = Guest(the_target).arrives().connects()
    guest.says(kind, content)
    assert guest.is_dismissed()[0] == REFUSED
    assert guest.is_gone()
    assert not canary.exists()


@pytest.mark.parametrize(
    "channel", ["control", "stdin", "iopub", "hb", "nonsense", None, 7, ["shell"]]
)
@pytest.mark.parametrize("kind", ["execute_request", "kernel_info_request", "comm_msg"])
def test_on_another_channel(the_target: str, tmp_path: Path, channel: Any, kind: str) -> None:
    canary = tmp_path / "canary"
    guest = Guest(the_target).arrives().connects()
    code = f"open({str(canary)!r}, 'w').write('run')"
    guest.says(kind, {"code": code, "comm_id": "a", "data": {}}, channel=channel)
    assert guest.is_dismissed()[0] == REFUSED
    assert not canary.exists()


def test_a_header_that_says_two_things(the_target: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    guest = Guest(the_target).arrives().connects()
    text = json.dumps(
        {
            "header": {"msg_id": "a", "msg_type": "kernel_info_request", "session": "s"},
            "msg_type": "execute_request",
            "parent_header": {}, "metadata": {}, "channel": "shell",
            "content": {"code": f"open({str(canary)!r}, 'w')"},
        }
    )  # fmt: skip
    twice = edited(text, '"msg_type": "k', '"msg_type": "execute_request", "msg_type": "k')
    for message in (text, twice):
        guest.socket.send(message)
    assert guest.is_answered()
    guest.socket.send(
        edited(text, '"channel": "shell"', '"channel": "shell", "channel": "control"')
    )
    assert guest.is_dismissed()[0] == REFUSED
    assert not canary.exists()


def test_subshells_are_not_named(the_target: str) -> None:
    guest = Guest(the_target).arrives().connects()
    header = {"msg_id": "a", "msg_type": "comm_info_request", "session": "s", "subshell_id": "1"}
    guest.says("comm_info_request", {}, header=header)
    assert guest.is_dismissed()[0] == REFUSED
