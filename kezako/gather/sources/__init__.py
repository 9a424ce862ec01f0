"""Where pictures come from: a registry of sources by name.

To add your own source, you need ten lines. In a notebook, run them before gathering; for the
command line, put them in a file and name that file in the variable KEZAKO_SOURCES:

    from kezako.gather.sources import Found, register

    @register("zoo")
    class Zoo:
        name = "zoo"
        cannot_filter = ("licence", "photo only", "safe search")

        def __init__(self, settings):
            self.settings = settings

        def search(self, query, limit):
            for number in range(limit):
                yield Found(f"https://zoo.example/{query}/{number}.jpg")

and `sources = ["zoo", "openverse"]` in the recipe asks it first.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import urlsplit

from kezako import environment
from kezako.errors import KezakoError
from kezako.gather.settings import Settings
from kezako.names import most_similar

Kind = Literal["limited", "refused", "empty", "broken"]

# Source -> the module here that registers it. Modules are imported on demand, because each needs
# its own library.
_SHIPPED = {
    "duckduckgo": "duckduckgo",
    "ddgs": "metasearch",
    "openverse": "openverse",
    "wikimedia": "wikimedia",
    "urls": "addresses",
    "folder": "local",
    "zip": "local",
}


@dataclass(frozen=True)
class Found:
    """One picture that a source offers."""

    url: str
    page: str | None = None  # web page that shows it
    title: str | None = None
    licence: str | None = None  # "CC BY 2.0 (https://...)"; None if the source does not say
    creator: str | None = None
    width: int | None = None  # pixels, as the source says
    height: int | None = None


class SourceStopped(KezakoError):
    """A source ended early; the message is a sentence for the maker that names the source."""

    def __init__(self, kind: Kind, sentence: str):
        super().__init__(sentence)
        self.kind: Kind = kind


class Source(Protocol):
    """The interface of a source."""

    name: str
    # Which of "licence", "photo only" and "safe search" it cannot filter by.
    cannot_filter: tuple[str, ...]

    def search(self, query: str, limit: int) -> Iterator[Found]:
        """At most `limit` pictures, lazily. Raises `SourceStopped` if it ends before that."""
        ...


Factory = Callable[[Settings], Source]
_F = TypeVar("_F", bound=Callable[[Any], Any])
_registry: dict[str, Factory] = {}


def register(name: str) -> Callable[[_F], _F]:
    """Decorator for a class or function that takes `Settings` and returns the source `name`."""

    def keep(factory: _F) -> _F:
        _registry[name] = factory
        return factory

    return keep


def known_sources() -> tuple[str, ...]:
    """The names that a recipe's `sources` may contain. Raises `KezakoError`, see `open_source`."""
    _load_own()
    return tuple(sorted({*_SHIPPED, *_registry}))


def open_source(name: str, settings: Settings) -> Source:
    """The source `name`. Raises `KezakoError` for an unknown name; it suggests the nearest one."""
    _load_own()
    if name not in _registry and name in _SHIPPED:
        importlib.import_module(f"{__name__}.{_SHIPPED[name]}")
    if name not in _registry:
        known = known_sources()
        near = most_similar(name, known)
        hint = f'did you mean "{near}"?' if near else f"known are {', '.join(known)}."
        raise KezakoError(f'There is no source "{name}"; {hint}')
    return _registry[name](settings)


def offered(
    url: object,  # as the site sent it, of any type
    page: object = None,
    title: object = None,
    licence: str | None = None,
    creator: object = None,
    width: object = None,
    height: object = None,
) -> Found | None:
    """A `Found` from a site's unchecked values; None if `url` is not a web address."""
    address = _address(url)
    if address is None:
        return None
    return Found(
        address,
        page=_address(page),
        title=_line(title),
        licence=_line(licence),
        creator=_line(creator),
        width=_pixels(width),
        height=_pixels(height),
    )


def _address(value: object) -> str | None:
    if not isinstance(value, str) or len(value) > 4000:
        return None
    value = value.strip()
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - reading it is the check
    except ValueError:
        return None
    plain = not any(unicodedata.category(character)[0] in "CZ" for character in value)
    return value if plain and parts.scheme in ("http", "https") and parts.hostname else None


def _line(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    plain = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in value)
    return " ".join(plain.split())[:300] or None


def _pixels(value: object) -> int | None:
    try:
        number = int(str(value))
    except ValueError:
        return None
    return number if 0 < number < 1_000_000 else None


_loaded: set[str] = set()


def _load_own() -> None:
    """Run the files in KEZAKO_SOURCES, once each; they call `register`."""
    for file in filter(None, (environment.read("SOURCES") or "").split(os.pathsep)):
        if file in _loaded:
            continue
        path = Path(file).expanduser()
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise KezakoError(f"KEZAKO_SOURCES names {file!r}, which is no Python file.")
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
        _loaded.add(file)
