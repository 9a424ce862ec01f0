"""Limits on visitors, times and sizes; all of them can be set."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from kezako import environment as settings
from kezako.serve import memory

MIB = 1024 * 1024

# Bytes of a message besides the photo: header, metadata and state, all JSON.
OVERHEAD = MIB


@dataclass(frozen=True)
class Limits:
    """Each field is also an environment variable: `idle` is `KEZAKO_IDLE`. Times are in seconds.

    Their bounds are in `kezako.settings`. Raises `KezakoError` if a value is out of bounds.
    """

    visitors: int | None = None  # at once; None: as many as fit into memory
    most_visitors: int = 200  # even if memory allows more: one event loop serves all
    visitors_per_address: int | None = None  # None: three quarters of the places; see `Visitors`
    behind_proxy: bool = False  # trust X-Forwarded-For; without a proxy anybody can forge it
    frame_ancestors: str = "'self'"  # sites that may embed the page, as in a CSP

    arrivals_at_once: int = 40  # burst from one address: a school class opens the page together
    arrivals_a_second: float = 1  # from one address, after the burst

    opening: float = 30  # for the page's script to connect; then the place is freed
    returning: float = 75  # a phone that goes through a tunnel can reconnect
    returning_when_full: float = 20  # the same, while others wait
    idle: float = 1800  # without any input, while there is room
    idle_when_full: float = 300  # the same, while others wait
    busy: float = 120  # in one task; a classification takes a fraction of a second

    upload: int = 64 * MIB  # bytes of one photo
    kernel_memory: int = 1024 * MIB  # bytes of private memory of one visitor's kernel
    messages_a_second: float = 60  # sustained; dragging a slider sends about so many
    messages_at_once: int = 400  # what a page sends in a burst when it starts

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                settings.parse(field.name.upper(), str(value))

    @property
    def message(self) -> int:
        """Maximum size of one websocket message, in bytes."""
        return self.upload + OVERHEAD

    @classmethod
    def here(cls, environment: Mapping[str, str] = os.environ, **given: object) -> Limits:
        """Defaults for this machine, overridden by the environment, then by `given`."""
        values: dict[str, object] = _for_this_machine()
        if "DYNO" in environment:  # Heroku, whose router sets X-Forwarded-For itself
            values["behind_proxy"] = True
        read = {field.name: settings.read(field.name.upper(), environment) for field in fields(cls)}
        for found in (read, given):
            values |= {name: value for name, value in found.items() if value is not None}
        return cls(**values)  # type: ignore[arg-type]


def _for_this_machine() -> dict[str, object]:
    """Smaller limits on a small host: a photo is held by the server and by a kernel."""
    total = memory.total()
    return {
        "upload": max(8 * MIB, min(64 * MIB, total // 16)),
        "kernel_memory": max(256 * MIB, min(1024 * MIB, total // 4)),
    }
