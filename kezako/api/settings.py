"""What the API allows: each bound with its reason, each settable by the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from kezako.environment import read

SWITCH = "API"  # "off": no API; health and metrics stay
MEGABYTE = 2**20  # bytes


@dataclass(frozen=True)
class ApiSettings:
    """Bounds of the API; `KEZAKO_API_TOKEN` sets `token`, and so on."""

    token: str = ""  # where set, what a caller sends as "Authorization: Bearer …"
    origins: tuple[str, ...] = ()  # other sites whose scripts may call; "*": all
    pictures: int = 32  # in one request
    body: int = 64  # MB of one request: what the page takes
    json: int = 32  # MB of one request in JSON, which is held twice while it is read
    bodies: int = 96  # MB of all requests together: what a 512 MB host can spare for them
    requests: int = 256  # received or answered at once, half of them from one address
    waiting: int = 256  # pictures: with 30 ms each, the last one still meets the deadline
    deadline: float = 25.0  # s from the last byte to the answer; Heroku's router gives up after 30
    seconds_each: float = 15.0  # for one picture; a 64-megapixel PNG takes 3 on a slow core
    silence: float = 20.0  # s without a byte of an upload
    upload: float = 120.0  # s for one whole upload: 64 MB at 5 Mbit/s

    @classmethod
    def from_environment(cls, given: Mapping[str, str] | None = None) -> ApiSettings:
        """Those of the environment. Raises `KezakoError` with a sentence that names one."""
        names = [field.name for field in fields(cls)]
        values = {name: read(f"{SWITCH}_{name.upper()}", given) for name in names}
        if values["origins"] is not None:
            origins = values["origins"].replace(",", " ").split()
            values["origins"] = tuple(origin.rstrip("/") for origin in origins)
        return cls(**{name: value for name, value in values.items() if value is not None})


def switched_on(given: Mapping[str, str] | None = None) -> bool:
    """Whether the API answers. Raises `KezakoError` for anything but on and off."""
    return read(SWITCH, given) is not False
