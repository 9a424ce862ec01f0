"""How many may come, how long they may stay and how much they may send; each settable."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from kezako import environment as settings
from kezako.serve import memory

MIB = 1024 * 1024

# What a message holds beside a photo: header, metadata and state, all JSON.
OVERHEAD = MIB


@dataclass(frozen=True)
class Limits:
    """Every field is also an environment variable: `idle` is `KEZAKO_IDLE`. Times in seconds.

    `kezako.environment` has the bounds of each. Raises `KezakoError` with a sentence.
    """

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
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                settings.parse(field.name.upper(), str(value))

    @property
    def message(self) -> int:
        """Bytes of one websocket message."""
        return self.upload + OVERHEAD

    @classmethod
    def here(cls, environment: Mapping[str, str] = os.environ, **given: object) -> Limits:
        """Defaults that suit this machine, then the environment, then what is `given`."""
        values: dict[str, object] = _for_this_machine()
        if "DYNO" in environment:  # Heroku, whose router writes X-Forwarded-For itself
            values["behind_proxy"] = True
        read = {field.name: settings.read(field.name.upper(), environment) for field in fields(cls)}
        for found in (read, given):
            values |= {name: value for name, value in found.items() if value is not None}
        return cls(**values)  # type: ignore[arg-type]


def _for_this_machine() -> dict[str, object]:
    """A photo passes through the server and lies in a kernel: neither may fill a small host."""
    total = memory.total()
    return {
        "upload": max(8 * MIB, min(64 * MIB, total // 16)),
        "kernel_memory": max(256 * MIB, min(1024 * MIB, total // 4)),
    }
