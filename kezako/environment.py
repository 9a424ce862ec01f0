"""The settings that come from outside: every KEZAKO_ variable of the environment, and its bounds.

Each is read where it is used, with `read`. A command starts with `check`, which refuses a variable
that nobody would ever read, and a value that nobody could.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol
from urllib.parse import urlsplit

from kezako.errors import KezakoError

PREFIX = "KEZAKO_"
DAY = 86_400.0  # seconds
# What Kubernetes sets in every container for a Service called "kezako", or "kezako-" and more.
_SERVICE = re.compile(
    r"KEZAKO(_\w+)?_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_[A-Z]+(_(PROTO|PORT|ADDR))?)=.*"
    r"|KEZAKO(_\w+)?_PORT=\w+://.*"
)


class Kind(Protocol):
    """What a value may be."""

    @property
    def wanted(self) -> str:
        """The sentence's end, after "KEZAKO_X is '…'; "."""

    def read(self, text: str) -> Any:
        """The value. Raises ValueError for any other text."""


@dataclass(frozen=True)
class Number:
    least: float
    most: float
    unit: str = "a number"
    such: float | None = None  # an example
    whole: bool = False

    @property
    def wanted(self) -> str:
        example = "" if self.such is None else f", such as {_shown(self.such)}"
        return f"give {self.unit} from {_shown(self.least)} to {_shown(self.most)}{example}"

    def read(self, text: str) -> float:
        number = int(text) if self.whole else float(text)
        if not text.isascii() or not self.least <= number <= self.most:  # refuses NaN as well
            raise ValueError
        return number


@dataclass(frozen=True)
class Flag:
    wanted = "write 1 or 0, or on or off"

    def read(self, text: str) -> bool:
        said = text.lower()
        if said not in ("1", "yes", "true", "on", "0", "no", "false", "off"):
            raise ValueError
        return said in ("1", "yes", "true", "on")


@dataclass(frozen=True)
class Choice:
    words: tuple[str, ...]

    @property
    def wanted(self) -> str:
        return f"write {', '.join(self.words[:-1])} or {self.words[-1]}"

    def read(self, text: str) -> str:
        if text not in self.words:
            raise ValueError
        return text


@dataclass(frozen=True)
class Address:
    schemes: tuple[str, ...] = ("http", "https")
    such: str = "http://127.0.0.1:8080"

    @property
    def wanted(self) -> str:
        return f"give an address such as {self.such}"

    def read(self, text: str) -> str:
        parts = urlsplit(text)  # raises ValueError, too
        if parts.scheme not in self.schemes or not (parts.hostname or parts.scheme == "file"):
            raise ValueError
        return text.rstrip("/")


@dataclass(frozen=True)
class Text:
    """One line, of any letters unless it goes into a header of HTTP."""

    header: bool = False
    without: str = ""  # these signs
    such: str = ""

    @property
    def wanted(self) -> str:
        letters = "printable ASCII, as HTTP headers are" if self.header else "one line of text"
        without = f", without any of {self.without}" if self.without else ""
        return f"give {letters}{without}" + (f", such as {self.such}" if self.such else "")

    def read(self, text: str) -> str:
        if "\r" in text or "\n" in text or any(sign in text for sign in self.without):
            raise ValueError
        if self.header and not (text.isascii() and text.isprintable()):
            raise ValueError
        return text


def _seconds(such: float, most: float = DAY) -> Number:
    return Number(0.1, most, "seconds", such)


def _count(most: float, such: float | None = None) -> Number:
    return Number(1, most, "a whole number", such, whole=True)


MIB = 2**20
SECRET = ("API_TOKEN", "ENGINE_TOKEN")  # never repeated

# Without PREFIX. The defaults, and why they are what they are, stand where they are used.
SETTINGS: Mapping[str, Kind] = {
    # Everything
    "HOME": Text(),  # the folder of data/ and models/
    "THREADS": Number(0, 1024, "a whole number", 1, whole=True),  # of one classification
    "PATIENCE": Number(0.001, DAY, "seconds", 20),  # for one classification
    "PHOTOS": Text(),  # of the tests and the benchmarks: the folder of photographs
    # Gathering: gather/settings.py
    "PROXY": Text(),  # proxies.py checks it, with those that others set
    "CA": Text(),
    "OPENVERSE_URL": Address(),
    "WIKIMEDIA_URL": Address(),
    "CONTACT": Text(header=True),
    "ALLOW_PRIVATE": Flag(),
    "PAUSE": Number(0, 100, such=1),
    "URLS": Text(),
    "SOURCES": Text(),
    # Training: train/weights.py
    "WEIGHTS": Choice(("imagenet", "starter", "random")),
    "WEIGHTS_URL": Address(("http", "https", "file"), "https://example.org/resnet18.pth"),
    # The page
    "MODEL": Text(),
    "CORRECTIONS": Flag(),
    "CORRECTIONS_A_VISIT": _count(500, 5),
    "ENGINE": Address(such="http://engine.example:8000"),
    "ENGINE_TOKEN": Text(header=True),
    # Its visitors: serve/limits.py
    "VISITORS": _count(100_000),
    "MOST_VISITORS": _count(100_000, 200),
    "VISITORS_PER_ADDRESS": _count(100_000),
    "BEHIND_PROXY": Flag(),
    "FRAME_ANCESTORS": Text(header=True, without=";,", such="'self' https://huggingface.co"),
    "ARRIVALS_AT_ONCE": _count(100_000, 40),
    "ARRIVALS_A_SECOND": Number(0, 100_000, such=1),
    "OPENING": _seconds(30),
    "RETURNING": _seconds(75),
    "RETURNING_WHEN_FULL": _seconds(20),
    "IDLE": _seconds(1800, 30 * DAY),
    "IDLE_WHEN_FULL": _seconds(300, 30 * DAY),
    "BUSY": _seconds(120),
    "UPLOAD": Number(64 * 1024, 1024 * MIB, "bytes", 64 * MIB, whole=True),
    "KERNEL_MEMORY": Number(32 * MIB, 2**20 * MIB, "bytes", 1024 * MIB, whole=True),
    "MESSAGES_A_SECOND": Number(1, 1_000_000, such=60),
    "MESSAGES_AT_ONCE": _count(1_000_000, 400),
    # The API: api/settings.py
    "API": Flag(),
    "API_TOKEN": Text(header=True),
    "API_ORIGINS": Text(header=True),
    "API_PICTURES": _count(10_000, 32),
    "API_BODY": Number(1, 4096, "MB", 64, whole=True),
    "API_JSON": Number(1, 4096, "MB", 32, whole=True),
    "API_BODIES": Number(1, 1_000_000, "MB", 96, whole=True),
    "API_REQUESTS": _count(100_000, 256),
    "API_WAITING": _count(1_000_000, 256),
    "API_DEADLINE": _seconds(25, 3600),
    "API_SECONDS_EACH": _seconds(15, 3600),
    "API_SILENCE": _seconds(20, 3600),
    "API_UPLOAD": _seconds(120),
}


def read(
    name: str,  # without PREFIX
    environment: Mapping[str, str] | None = None,  # this process's by default
) -> Any:
    """The value of a setting; None where it is not set, or empty. Raises `KezakoError`."""
    text = (os.environ if environment is None else environment).get(PREFIX + name, "").strip()
    return parse(name, text) if text else None


def parse(name: str, text: str) -> Any:
    """What `text` means for setting `name`. Raises `KezakoError` with a sentence."""
    kind = SETTINGS[name]
    try:
        return kind.read(text)
    except ValueError:
        said = "cannot be used" if name in SECRET else f"is {text!r}"
        raise KezakoError(f"{PREFIX}{name} {said}; {kind.wanted}.") from None


def check(environment: Mapping[str, str] | None = None) -> None:
    """Raises `KezakoError` for the first variable that is unknown, or cannot be read."""
    given = os.environ if environment is None else environment
    for variable in given:  # by name: the values of others are nobody's business here
        if not variable.startswith(PREFIX) or _SERVICE.fullmatch(f"{variable}={given[variable]}"):
            continue
        name = variable.removeprefix(PREFIX)
        if name not in SETTINGS:
            near = get_close_matches(name.upper(), SETTINGS, n=1)
            hint = f"Is {PREFIX}{near[0]} meant?" if near else "Take it away."
            raise KezakoError(f"{variable} is no setting of Kezako. {hint}")
        read(name, given)


def _shown(number: float) -> str:
    return f"{number:.0f}" if number == int(number) else f"{number:g}"
