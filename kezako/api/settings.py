"""Limits of the API, each with its reason; the environment can set all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from kezako.environment import read

SWITCH = "API"  # "off": no API; health and metrics stay
MEGABYTE = 2**20  # bytes


@dataclass(frozen=True)
class ApiSettings:
    """Settings of the API; `KEZAKO_API_TOKEN` sets `token`, and so on."""

    token: str = ""  # if set, callers must send it as "Authorization: Bearer …"
    origins: tuple[str, ...] = ()  # other sites whose scripts may call; "*": all
    pictures: int = 32  # in one request
    body: int = 64  # MB of one request: as much as the page takes
    json: int = 32  # MB of one request in JSON, which is held twice while it is read
    bodies: int = 96  # MB of all requests together: as much as a 512 MB host can spare
    requests: int = 256  # received or answered at once, half of them from one address
    waiting: int = 256  # pictures: with 30 ms each, the last one still meets the deadline
    # Seconds from the last byte to the answer; Heroku's router gives up after 30.
    deadline: float = 25.0
    seconds_each: float = 15.0  # for one picture; a 64-megapixel PNG takes 3 on a slow core
    silence: float = 20.0  # seconds without data during an upload
    upload: float = 120.0  # seconds for one whole upload: 64 MB at 5 Mbit/s

    @classmethod
    def from_environment(cls, given: Mapping[str, str] | None = None) -> ApiSettings:
        """Settings from the environment. Raises `KezakoError`, which names the wrong variable."""
        names = [field.name for field in fields(cls)]
        values = {name: read(f"{SWITCH}_{name.upper()}", given) for name in names}
        if values["origins"] is not None:
            origins = values["origins"].replace(",", " ").split()
            values["origins"] = tuple(origin.rstrip("/") for origin in origins)
        return cls(**{name: value for name, value in values.items() if value is not None})


def switched_on(given: Mapping[str, str] | None = None) -> bool:
    """Whether the API is on. Raises `KezakoError` for a value other than on and off."""
    return read(SWITCH, given) is not False
