"""Record the outputs of cells, and which variables about its visitor a notebook reads.

Outputs follow the rules of a notebook front end: text of one stream is joined, a display with an
id is updated wherever it is, and what is published while an Output widget captures goes to that
widget.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import comm

Output = dict[str, Any]

_OUTPUTS = {"stream", "display_data", "execute_result", "error"}


class WatchedEnvironment(os._Environ):  # type: ignore[type-arg]
    """`os.environ` that records the names of the variables that are read in `names_read`."""

    names_read: set[str]

    def __getitem__(self, name: str) -> str:
        self.names_read.add(name)
        return super().__getitem__(name)


def watch_environment() -> set[str]:
    """Start recording; returns the set of names, which grows as variables are read."""
    # Change the class of the object itself: modules keep references to it.
    environment: Any = os.environ
    environment.__class__ = WatchedEnvironment
    environment.names_read = set()
    return environment.names_read


def unwatch_environment() -> None:
    """Stop recording."""
    environment: Any = os.environ
    environment.__class__ = os._Environ
    del environment.names_read


class Recorder:
    """Receives a kernel's messages instead of a front end."""

    def __init__(self) -> None:
        self._cells: list[_Outputs] = []
        self._displays: dict[str, list[Output]] = {}
        self._listening: list[str] = []  # ids of capturing Output widgets, innermost last
        self._heard: dict[str, _Outputs] = {}  # what each of them has captured

    def begin(self) -> None:
        """Start another cell."""
        self._cells.append(_Outputs())

    def end(self) -> list[Output]:
        """End the cell; returns its outputs."""
        for widget, heard in self._heard.items():
            _tell(widget, heard)
        self._listening, self._heard = [], {}
        return self._cells[-1]

    def take(self, kind: str, content: dict[str, Any]) -> None:
        """Record a message of type `kind`, as published by a kernel."""
        if kind == "comm_msg":
            self._notice(content)
        elif kind == "update_display_data":
            for output in self._displays.get(_identity(content), []):
                output.update(data=content["data"], metadata=content["metadata"])
        elif kind == "clear_output":
            self._target().clear_output(content.get("wait", False))
        elif kind in _OUTPUTS:
            output = self._target().add(kind, content)
            if identity := _identity(content):
                self._displays.setdefault(identity, []).append(output)

    def _target(self) -> _Outputs:
        if self._listening:
            return self._heard.setdefault(self._listening[-1], _Outputs())
        return self._cells[-1]

    def _notice(self, content: dict[str, Any]) -> None:
        """Track Output widgets: they set `msg_id` while they capture."""
        state = content.get("data", {}).get("state", {})
        if "msg_id" in state:
            widget = content["comm_id"]
            self._listening = [other for other in self._listening if other != widget]
            if state["msg_id"]:
                self._listening.append(widget)


class _Outputs(list[Output]):
    """The outputs of one cell or of one Output widget."""

    _stale = False  # clear before the next output

    def add(self, kind: str, content: dict[str, Any]) -> Output:
        if self._stale:
            self.clear()
            self._stale = False
        if kind == "stream" and self and self[-1].get("name") == content["name"]:
            self[-1]["text"] += content["text"]
        else:
            kept = {name: value for name, value in content.items() if name != "transient"}
            self.append({"output_type": kind, **kept})
        return self[-1]

    def clear_output(self, wait: bool) -> None:
        if wait:
            self._stale = True
        else:
            self.clear()


def _identity(content: dict[str, Any]) -> str:
    return str(content.get("transient", {}).get("display_id", ""))


def _tell(widget: str, heard: _Outputs) -> None:
    """Set the `outputs` of an Output widget, as a front end would."""
    if channel := comm.get_comm_manager().get_comm(widget):  # ipykernel's comm manager
        data = {"method": "update", "state": {"outputs": list(heard)}, "buffer_paths": []}
        channel.handle_msg({"content": {"comm_id": widget, "data": data}, "buffers": []})


def as_messages(outputs: list[Output]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(type, content) of the messages with which a kernel publishes `outputs`."""
    for output in outputs:
        content = dict(output)
        yield content.pop("output_type"), content
