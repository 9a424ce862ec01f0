"""How the gather stage reaches the web: proxy, certificates, addresses, pauses."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from tqdm.auto import tqdm

from kezako.errors import KezakoError
from kezako.recipe import Licence, Recipe


@dataclass(frozen=True)
class Settings:
    """What a gathering run is told from outside the recipe; sources and fetch share it."""

    proxy: str | None = None  # "http://host:port"; every request goes through it
    ca: Path | None = None  # PEM bundle to trust instead of the system's, behind a TLS proxy
    openverse_url: str = "https://api.openverse.org"
    wikimedia_url: str = "https://commons.wikimedia.org"
    contact: str | None = None  # an address for the sources' operators, as Wikimedia asks for
    allow_private: bool = False  # true lets fetch reach loopback and private addresses (tests)
    pause: float = 1.0  # factor on every pause; 0 in tests
    timeout: float = 20.0  # seconds for one answer of a source
    photos_only: bool = True  # ask sources for photographs, where they can tell; the recipe's
    licence: Licence = "any"  # "free": ask for Creative Commons or public domain; the recipe's
    lists: Path | None = None  # folder of CLASS.txt for the `urls` source; None: data/NAME/urls
    data: Path | None = None  # data/NAME of the run
    folder: str | None = None  # the class being gathered
    recipe: Recipe | None = None  # of the run
    say: Callable[[str], None] = field(default=tqdm.write, compare=False)  # tells the maker

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Settings from `KEZAKO_*` variables. Raises `KezakoError` naming the variable to mend."""
        found = {
            key.removeprefix("KEZAKO_").lower(): value.strip()
            for key, value in (os.environ if environment is None else environment).items()
            if key.startswith("KEZAKO_") and value.strip()
        }
        plain = cls()
        return cls(
            proxy=_web_address("proxy", found.get("proxy")),
            ca=_file("ca", found.get("ca")),
            openverse_url=_web_address("openverse_url", found.get("openverse_url"))
            or plain.openverse_url,
            wikimedia_url=_web_address("wikimedia_url", found.get("wikimedia_url"))
            or plain.wikimedia_url,
            contact=_line("contact", found.get("contact")),
            allow_private=_flag("allow_private", found.get("allow_private", "0")),
            pause=_factor("pause", found.get("pause", "1")),
            lists=Path(found["urls"]).expanduser() if "urls" in found else None,
        )

    def within(self, data: Path, folder: str) -> Settings:
        """These settings while `data` (data/NAME) and its class `folder` are gathered."""
        return replace(self, data=data, folder=folder)


def _web_address(key: str, value: str | None) -> str | None:
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https", "socks5", "socks5h") or not parts.hostname:
        raise KezakoError(
            f"KEZAKO_{key.upper()} must be an address such as http://127.0.0.1:8080, not {value!r}."
        )
    return value.rstrip("/")


def _file(key: str, value: str | None) -> Path | None:
    if value is None:
        return None
    path = Path(value).expanduser()
    if not path.is_file():
        raise KezakoError(f"KEZAKO_{key.upper()} names the file {value!r}, which does not exist.")
    return path


def _line(key: str, value: str | None) -> str | None:
    # It becomes part of a request's header.
    if value is not None and not (value.isascii() and value.isprintable()):
        raise KezakoError(f"KEZAKO_{key.upper()} must be one line of plain ASCII, not {value!r}.")
    return value


def _flag(key: str, value: str) -> bool:
    if value.lower() not in ("0", "1", "false", "true", "no", "yes"):
        raise KezakoError(f"KEZAKO_{key.upper()} must be 1 or 0, not {value!r}.")
    return value.lower() in ("1", "true", "yes")


def _factor(key: str, value: str) -> float:
    try:
        factor = float(value)
    except ValueError:
        factor = -1.0
    if not 0 <= factor <= 100:
        raise KezakoError(f"KEZAKO_{key.upper()} must be a number from 0 to 100, not {value!r}.")
    return factor
