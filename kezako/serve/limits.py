"""How many may come, how long they may stay and how much they may send; each settable."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from kezako.errors import KezakoError
from kezako.serve import memory

MIB = 1024 * 1024

# What a message holds beside a photo: header, metadata and state, all JSON.
OVERHEAD = MIB


@dataclass(frozen=True)
class Limits:
    """Every field is also an environment variable: `idle` is `KEZAKO_IDLE`. Times in seconds."""

    visitors: int | None = None  # at once; None: as many as the memory holds
    most_visitors: int = 200  # however much memory there is: one event loop speaks for all
    visitors_per_address: int | None = None  # None: three quarters of the places; see `Visitors`
    behind_proxy: bool = False  # believe X-Forwarded-For; without a proxy anybody can write it
    frame_ancestors: str = "'self'"  # who may show the page in a frame, as in a CSP

    arrivals_at_once: int = 40  # of one address: a class that opens the page together
    arrivals_a_second: float = 1  # of one address, after that

    opening: float = 30  # a page that never ran its script holds no place longer
    returning: float = 75  # a phone that goes through a tunnel finds its page again
    returning_when_full: float = 20  # the same, while others wait
    idle: float = 1800  # nothing was touched so long, with room for others
    idle_when_full: float = 300  # the same, while others wait
    busy: float = 120  # at one task; a classification takes a fraction of a second

    upload: int = 64 * MIB  # bytes of one photo
    kernel_memory: int = 1024 * MIB  # bytes that one visitor's kernel may hold on its own
    messages_a_second: float = 60  # sustained; dragging a slider sends about this many
    messages_at_once: int = 400  # what a page sends in a burst when it starts

    def __post_init__(self) -> None:
        for name in ("visitors", "visitors_per_address", "most_visitors"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise KezakoError(f"KEZAKO_{name.upper()} is {value}; give 1 or more.")
        if any(character in self.frame_ancestors for character in ";,\r\n"):
            raise KezakoError(
                "KEZAKO_FRAME_ANCESTORS holds a sign that ends a header; give addresses with "
                "spaces between, such as: 'self' https://huggingface.co"
            )

    @property
    def message(self) -> int:
        """Bytes of one websocket message."""
        return self.upload + OVERHEAD

    @classmethod
    def here(cls, environment: Mapping[str, str] = os.environ, **given: object) -> Limits:
        """Defaults that suit this machine, then the environment, then what is `given`.

        Raises ValueError with a sentence for a setting that cannot be read.
        """
        values: dict[str, object] = _for_this_machine()
        if "DYNO" in environment:  # Heroku, whose router writes X-Forwarded-For itself
            values["behind_proxy"] = True
        for field in fields(cls):
            text = environment.get(f"KEZAKO_{field.name.upper()}", "").strip()
            if text:
                values[field.name] = _read(field.name, str(field.type), text)
        values |= {name: value for name, value in given.items() if value is not None}
        return cls(**values)  # type: ignore[arg-type]


def _for_this_machine() -> dict[str, object]:
    """A photo passes through the server and lies in a kernel: neither may fill a small host."""
    total = memory.total()
    return {
        "upload": max(8 * MIB, min(64 * MIB, total // 16)),
        "kernel_memory": max(256 * MIB, min(1024 * MIB, total // 4)),
    }


def _read(name: str, kind: str, text: str) -> object:
    if kind == "str":
        return text
    if kind == "bool":
        if text.lower() not in ("0", "1", "no", "yes", "false", "true"):
            raise KezakoError(f"KEZAKO_{name.upper()} is {text!r}; write 1 or 0.")
        return text.lower() in ("1", "yes", "true")
    try:
        return float(text) if kind == "float" else int(text)
    except ValueError:
        raise KezakoError(f"KEZAKO_{name.upper()} is {text!r}; write a number.") from None
