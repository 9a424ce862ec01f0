"""Validate a visitor's messages to a kernel: widget messages of bounded size, and nothing else.

There are two wire formats, both Jupyter's: the default one (JSON as text; with buffers, binary)
and `v1.kernel.websocket.jupyter.org`, see "WebSocket kernel wire protocols" in the documentation
of Jupyter Server. A message is parsed here, with every length checked, before Jupyter Server's
code sees it, because that code trusts its client.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

from kezako.serve.limits import OVERHEAD

V1 = "v1.kernel.websocket.jupyter.org"
ALLOWED = ("comm_open", "comm_msg", "comm_close", "comm_info_request", "kernel_info_request")
TARGETS = ("jupyter.widget", "jupyter.widget.control")
METHODS = ("update", "request_state", "request_states", "custom")  # of a page's widgets
BUFFERS = 64  # a page sends one for each uploaded file
_ID = re.compile(r"[\w.-]{1,128}", re.ASCII)

Message = dict[str, Any]


class NotAllowed(ValueError):
    """A message that our page never sends; `str()` gives the reason for the log."""


def read(raw: str | bytes, protocol: str | None) -> Message:
    """Header, content and other parts of an allowed message. Raises `NotAllowed`."""
    try:
        message = _parse(raw, protocol)
    except (ValueError, LookupError, RecursionError, TypeError, AttributeError) as error:
        raise NotAllowed(f"a malformed message ({type(error).__name__})") from None
    _check(message)
    return message


def _parse(raw: str | bytes, protocol: str | None) -> Message:
    if protocol == V1:
        if isinstance(raw, str):
            raise ValueError("text where bytes belong")
        return _parse_v1(raw)
    if isinstance(raw, str):
        return _load(raw)
    count = int.from_bytes(raw[:4], "big")
    _bounded(count, 1, BUFFERS + 1)
    starts = [int.from_bytes(raw[4 * n : 4 * n + 4], "big") for n in range(1, count + 1)]
    _rising([4 * (count + 1), *starts, len(raw)])
    return _load(raw[starts[0] : starts[1] if count > 1 else len(raw)])


def _parse_v1(raw: bytes) -> Message:
    count = int.from_bytes(raw[:8], "little")
    _bounded(count, 6, BUFFERS + 6)  # channel, four parts and the end, then buffers
    starts = [int.from_bytes(raw[8 * n : 8 * n + 8], "little") for n in range(1, count + 1)]
    _rising([8 * (count + 1), *starts, len(raw)])
    channel, *parts = (raw[a:b] for a, b in pairwise(starts[:6]))
    if sum(map(len, parts)) > OVERHEAD:
        raise ValueError("too much JSON")
    names = ("header", "parent_header", "metadata", "content")
    message = dict(zip(names, map(_load, parts), strict=True))
    return {"channel": channel.decode(), **message}


def _load(text: str | bytes) -> Any:
    if len(text) > OVERHEAD:
        raise ValueError("too much JSON")
    return json.loads(text)


def _bounded(value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ValueError("a number out of bounds")


def _rising(values: list[int]) -> None:
    if values != sorted(values):
        raise ValueError("offsets out of order")


def _check(message: Any) -> None:
    if not isinstance(message, dict):
        raise NotAllowed("a malformed message (no object)")
    channel = message.get("channel")
    if channel != "shell":
        raise NotAllowed(f"a message on channel {str(channel)[:20]!r}")
    parts = ("header", "parent_header", "metadata", "content")
    if not all(isinstance(message.get(part), dict) for part in parts):
        raise NotAllowed("a malformed message (parts missing)")
    header, content = message["header"], message["content"]
    kind = header.get("msg_type")
    if kind not in ALLOWED:
        raise NotAllowed(f"a message of type {str(kind)[:40]!r}")
    if not _is_id(header.get("msg_id")) or not _is_id(header.get("session", "none")):
        raise NotAllowed("a malformed message (ids)")
    # Subshells would run several messages of a visitor in parallel.
    if header.get("subshell_id") is not None or content.get("target_module"):
        raise NotAllowed("a message that names a subshell or a module")
    if kind.startswith("comm_") and kind != "comm_info_request":
        if not _is_id(content.get("comm_id")) or not isinstance(content.get("data", {}), dict):
            raise NotAllowed("a malformed message (comm)")
        if kind == "comm_open" and content.get("target_name") not in TARGETS:
            raise NotAllowed("a comm to another target than widgets")
        if kind == "comm_msg" and content.get("data", {}).get("method") not in METHODS:
            raise NotAllowed("a message that no widget has")


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None
