"""How the gather stage accesses the web: proxy, certificates, API addresses, pauses."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from tqdm.auto import tqdm

from kezako import environment
from kezako.errors import KezakoError
from kezako.proxies import Proxies
from kezako.recipe import Licence, Recipe


@dataclass(frozen=True)
class Settings:
    """The settings of a gathering that are not in the recipe; sources and fetcher share them."""

    proxies: Proxies = field(default_factory=Proxies)  # for searches and pictures alike
    ca: Path | None = None  # PEM file of additional CAs to trust, for a TLS proxy
    openverse_url: str = "https://api.openverse.org"
    wikimedia_url: str = "https://commons.wikimedia.org"
    contact: str | None = None  # e-mail or page for the sources' operators, as Wikimedia asks for
    allow_private: bool = False  # True: fetch may connect to loopback and private addresses (tests)
    pause: float = 1.0  # factor on every pause; 0 in tests
    timeout: float = 20.0  # seconds for one response of a source
    # Ask sources for photographs only, if they can filter; from the recipe.
    photos_only: bool = True
    safe: bool = True  # ask sources for safe search; from the recipe
    licence: Licence = "any"  # "free": ask for Creative Commons or public domain; from the recipe
    lists: Path | None = None  # folder of CLASS.txt for the `urls` source; None: data/NAME/urls
    data: Path | None = None  # data/NAME of the run
    folder: str | None = None  # the class being gathered
    recipe: Recipe | None = None  # of the run
    say: Callable[[str], None] = field(default=tqdm.write, compare=False)  # prints a message

    @classmethod
    def from_environment(cls, given: Mapping[str, str] | None = None) -> Settings:
        """Settings from `KEZAKO_*` variables. Raises `KezakoError` naming the wrong variable."""
        read = partial(environment.read, environment=given)
        plain = cls()
        pause, lists = read("PAUSE"), read("URLS")
        return cls(
            proxies=_proxies(given),
            ca=_file(read("CA")) or _trusted_elsewhere(os.environ if given is None else given),
            openverse_url=read("OPENVERSE_URL") or plain.openverse_url,
            wikimedia_url=read("WIKIMEDIA_URL") or plain.wikimedia_url,
            contact=read("CONTACT"),
            allow_private=bool(read("ALLOW_PRIVATE")),
            pause=plain.pause if pause is None else pause,
            lists=Path(lists).expanduser() if lists else None,
        )

    def within(self, data: Path, folder: str) -> Settings:
        """These settings, for the class `folder` of `data` (data/NAME)."""
        return replace(self, data=data, folder=folder)


def _proxies(given: Mapping[str, str] | None) -> Proxies:
    proxies = Proxies.from_environment(given)
    if proxies.speak_socks and find_spec("socksio") is None:
        raise KezakoError(
            "For a SOCKS proxy one more package is needed; install it with: "
            "pip install 'httpx[socks]'"
        )
    return proxies


def _file(value: str | None) -> Path | None:
    if value is None:
        return None
    path = Path(value).expanduser()
    if not path.is_file():
        raise KezakoError(f"KEZAKO_CA names the file {value!r}, which does not exist.")
    return path


def _trusted_elsewhere(given: Mapping[str, str]) -> Path | None:
    """The file in OpenSSL's own variable, so that all libraries here trust the same CAs."""
    path = Path(given.get("SSL_CERT_FILE") or ".")
    return path if path.is_file() else None
