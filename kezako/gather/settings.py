"""How the gather stage reaches the web: proxy, certificates, addresses, pauses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from tqdm.auto import tqdm

from kezako import environment
from kezako.errors import KezakoError
from kezako.recipe import Licence


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
    say: Callable[[str], None] = field(default=tqdm.write, compare=False)  # tells the maker

    @classmethod
    def from_environment(cls, given: Mapping[str, str] | None = None) -> Settings:
        """Settings from `KEZAKO_*` variables. Raises `KezakoError` naming the variable to mend."""
        read = partial(environment.read, environment=given)
        plain = cls()
        pause, lists = read("PAUSE"), read("URLS")
        return cls(
            proxy=read("PROXY"),
            ca=_file(read("CA")),
            openverse_url=read("OPENVERSE_URL") or plain.openverse_url,
            wikimedia_url=read("WIKIMEDIA_URL") or plain.wikimedia_url,
            contact=read("CONTACT"),
            allow_private=bool(read("ALLOW_PRIVATE")),
            pause=plain.pause if pause is None else pause,
            lists=Path(lists).expanduser() if lists else None,
        )

    def within(self, data: Path, folder: str) -> Settings:
        """These settings while `data` (data/NAME) and its class `folder` are gathered."""
        return replace(self, data=data, folder=folder)


def _file(value: str | None) -> Path | None:
    if value is None:
        return None
    path = Path(value).expanduser()
    if not path.is_file():
        raise KezakoError(f"KEZAKO_CA names the file {value!r}, which does not exist.")
    return path
