"""What cells put out, kept: the outputs of a notebook, and which variables of its visitor it read.

The rules for outputs are those that a notebook's front end follows: text of one stream is joined,
a display with an identity is replaced wherever it stands, and what is said while an Output widget
listens becomes its content.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import comm

Output = dict[str, Any]

_OUTPUTS = {"stream", "display_data", "execute_result", "error"}


class WatchedEnvironment(os._Environ):  # type: ignore[type-arg]
    """`os.environ` that remembers in `names_read` whose values were asked for."""

    names_read: set[str]

    def __getitem__(self, name: str) -> str:
        self.names_read.add(name)
        return super().__getitem__(name)


def watch_environment() -> set[str]:
    """The set that gets the names of variables as they are read, whoever reads them."""
    environment: Any = os.environ  # the object itself is watched: modules hold on to it
    environment.__class__ = WatchedEnvironment
    environment.names_read = set()
    return environment.names_read


def unwatch_environment() -> None:
    """End what `watch_environment` began."""
    environment: Any = os.environ
    environment.__class__ = os._Environ
    del environment.names_read


class Recorder:
    """Takes a kernel's messages in place of a front end."""

    def __init__(self) -> None:
        self._cells: list[_Outputs] = []
        self._displays: dict[str, list[Output]] = {}
        self._listening: list[str] = []  # ids of Output widgets, innermost last
        self._heard: dict[str, _Outputs] = {}  # what each of them has been told

    def begin(self) -> None:
        """Another cell starts."""
        self._cells.append(_Outputs())

    def end(self) -> list[Output]:
        """The outputs of the cell, which has ended."""
        for widget, heard in self._heard.items():
            _tell(widget, heard)
        self._listening, self._heard = [], {}
        return self._cells[-1]

    def take(self, kind: str, content: dict[str, Any]) -> None:
        """Keep a message of type `kind`, as a kernel publishes it."""
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
        """An Output widget says by its `msg_id` whether it listens."""
        state = content.get("data", {}).get("state", {})
        if "msg_id" in state:
            widget = content["comm_id"]
            self._listening = [other for other in self._listening if other != widget]
            if state["msg_id"]:
                self._listening.append(widget)


class _Outputs(list[Output]):
    """The outputs of one cell or of one Output widget."""

    _stale = False  # to be cleared when the next one arrives

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
    if channel := comm.get_comm_manager().get_comm(widget):  # ipykernel's, whoever came first
        data = {"method": "update", "state": {"outputs": list(heard)}, "buffer_paths": []}
        channel.handle_msg({"content": {"comm_id": widget, "data": data}, "buffers": []})


def as_messages(outputs: list[Output]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The messages, type and content, by which a kernel puts out `outputs`."""
    for output in outputs:
        content = dict(output)
        yield content.pop("output_type"), content
