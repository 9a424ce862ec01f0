"""What the API allows: each bound with its reason, each settable by the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from kezako.errors import KezakoError

PREFIX = "KEZAKO_API_"
SWITCH = "KEZAKO_API"  # "off": no API; health and metrics stay
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
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> ApiSettings:
        """The settings of `environment`. Raises `KezakoError` with a sentence that names one."""
        given = os.environ if environment is None else environment
        known = {PREFIX + field.name.upper(): field for field in fields(cls)}
        values: dict[str, Any] = {}
        for name, text in given.items():
            if not name.startswith(PREFIX):
                continue
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f" Is {near[0]} meant?" if near else ""
                raise KezakoError(f"{name} is no setting of the API.{hint}")
            field = known[name]
            values[field.name] = _read(name, text.strip(), field.default)
        return cls(**values)


def switched_on(environment: Mapping[str, str] | None = None) -> bool:
    """Whether the API answers. Raises `KezakoError` for anything but on and off."""
    given = os.environ if environment is None else environment
    text = given.get(SWITCH, "on").strip().lower() or "on"
    if text not in ("on", "off"):
        raise KezakoError(f"{SWITCH} is {text!r}; set it to on or off.")
    return text == "on"


def _read(name: str, text: str, default: Any) -> Any:
    if isinstance(default, tuple):
        return tuple(origin.rstrip("/") for origin in text.replace(",", " ").split())
    if isinstance(default, str):
        if not text.isascii() or not text.isprintable():
            raise KezakoError(f"{name} may hold printable ASCII only, as HTTP headers do.")
        return text
    try:
        number = type(default)(text)
    except ValueError:
        number = 0
    if not 0 < number < 1_000_000:  # refuses NaN and infinity as well
        raise KezakoError(f"{name} is {text!r}; give a number above 0, such as {default}.")
    return number
