"""What cells put out is kept as a notebook's front end would keep it."""

from __future__ import annotations

import os
from typing import Any

from voila_snapshot.recording import Recorder, as_messages, unwatch_environment, watch_environment


def text(words: str, name: str = "stdout") -> tuple[str, dict[str, Any]]:
    return "stream", {"name": name, "text": words}


def shown(words: str, identity: str = "") -> dict[str, Any]:
    transient = {"display_id": identity} if identity else {}
    return {"data": {"text/plain": words}, "metadata": {}, "transient": transient}


def recorded(*messages: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    recorder = Recorder()
    recorder.begin()
    for kind, content in messages:
        recorder.take(kind, content)
    return recorder.end()


def test_text_of_one_stream_is_joined() -> None:
    outputs = recorded(text("a"), text("b"), text("c", "stderr"), text("d"))
    assert [output["text"] for output in outputs] == ["ab", "c", "d"]


def test_clearing_waits_where_it_is_told_to() -> None:
    assert recorded(text("a"), ("clear_output", {"wait": False})) == []
    kept = recorded(text("a"), ("clear_output", {"wait": True}))
    assert [output["text"] for output in kept] == ["a"]
    replaced = recorded(text("a"), ("clear_output", {"wait": True}), text("b"), text("c"))
    assert [output["text"] for output in replaced] == ["bc"]


def test_a_display_with_an_identity_is_replaced_in_an_earlier_cell() -> None:
    recorder = Recorder()
    recorder.begin()
    recorder.take("display_data", shown("old", "here"))
    first = recorder.end()
    recorder.begin()
    recorder.take("update_display_data", shown("new", "here"))
    assert recorder.end() == []
    assert first[0]["data"] == {"text/plain": "new"}
    assert "transient" not in first[0]  # no part of a notebook


def test_outputs_become_the_messages_that_they_came_from() -> None:
    messages = [text("a"), ("execute_result", {"execution_count": 1, "data": {}, "metadata": {}})]
    assert list(as_messages(recorded(*messages))) == messages


def test_names_of_variables_that_are_read_are_kept() -> None:
    names = watch_environment()
    try:
        os.environ.get("READ_BUT_NOT_SET")
        assert "HOME_OF_NOBODY" not in os.environ
        os.getenv("PATH")
    finally:
        unwatch_environment()
    os.environ.get("READ_AFTERWARDS")
    assert names == {"READ_BUT_NOT_SET", "HOME_OF_NOBODY", "PATH"}
    assert type(os.environ) is os._Environ
