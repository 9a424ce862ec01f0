"""Cards and covers of the classifiers that the page offers, kept in memory until they change."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from PIL import Image
from traitlets.log import get_logger

from kezako import environment
from kezako.model.bundle import CARD, COVER, NOT_CLASSIFIERS, BundleError, Card, read_bundle
from kezako.model.remote import Engine, EngineError
from kezako.model.runtime import TookTooLong

LARGEST = 2**20  # bytes of a cover; the export writes about 100 KB
MOST = 32  # classifiers kept in memory
RENEWED = 60.0  # seconds until an engine is asked for a card again

V = TypeVar("V")


@dataclass(frozen=True)
class Cover:
    """A bundle's cover, as JPEG."""

    content: bytes
    width: int  # pixels
    height: int
    version: str  # its checksum


class Cards:
    """What the page says of its classifiers before one is opened."""

    def __init__(
        self,
        models: Path,  # the folder of bundles
        names: Callable[[], list[str]],  # of the classifiers on offer
        engine: str = "",  # URL of an engine, whose classifiers these are
    ):
        self.names, self._models, self._engine = names, models, engine
        self._local: dict[str, tuple[object, Card | None, Cover | None]] = {}
        self._remote: dict[str, tuple[float, Card | None]] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    def default(self) -> str:
        """The classifier that the page opens without `?model=`; empty if there is none."""
        names = [name for name in self.names() if self._engine or name not in NOT_CLASSIFIERS]
        chosen = environment.read("MODEL")
        if chosen in names:
            return str(chosen)
        return next((name for name in names if self.card(name)), "")

    def card(self, name: str) -> Card | None:
        """The card of a classifier; None if it cannot be read, or no engine has answered."""
        return self._asked(name) if self._engine else self._read(name)[0]

    def cover(self, name: str) -> Cover | None:
        """The cover of a classifier; None if it has none."""
        return None if self._engine else self._read(name)[1]

    def _read(self, name: str) -> tuple[Card | None, Cover | None]:
        stamp = _stamp(self._models / name / CARD)
        known = self._local.get(name)
        if known is None or stamp is None or stamp != known[0]:
            known = (stamp, *_read(self._models / name))
            _keep(self._local, name, known)
        return known[1:]

    def _asked(self, name: str) -> Card | None:
        asked, card = self._remote.get(name, (-RENEWED, None))
        if time.monotonic() - asked > RENEWED and name not in self._asking:
            # The page does not wait for it.
            self._asking[name] = asyncio.ensure_future(self._ask(name, card))
            self._asking[name].add_done_callback(lambda _: self._asking.pop(name, None))
        return card

    async def _ask(self, name: str, before: Card | None) -> None:
        try:
            engine = await asyncio.to_thread(partial(Engine.open, self._engine, name))
            card: Card | None = engine.card
        except (BundleError, EngineError, TookTooLong):
            card = before
        _keep(self._remote, name, (time.monotonic(), card))


def _keep(known: dict[str, V], name: str, value: V) -> None:
    known.pop(name, None)
    if len(known) >= MOST:
        del known[next(iter(known))]
    known[name] = value


def _stamp(path: Path) -> object:
    """What changes whenever a card is written again; None if it cannot be found."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _read(folder: Path) -> tuple[Card | None, Cover | None]:
    try:
        return _with_cover(folder)
    except BundleError as error:
        get_logger().warning("%s", error)
    try:
        return read_bundle(folder, lambda card: ())[0], None
    except BundleError:
        return None, None


def _with_cover(folder: Path) -> tuple[Card, Cover | None]:
    """Raises `BundleError` if either cannot be read."""
    card, files = read_bundle(folder, lambda card: [COVER] if _is_offered(folder, card) else [])
    content = files.get(COVER)
    if content is None:
        return card, None
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:  # reads its header only
            width, height = picture.size
    except Exception as error:
        raise BundleError(f"{folder / COVER} is no JPEG ({error}).") from error
    return card, Cover(content, width, height, card.files[COVER][:16])


def _is_offered(folder: Path, card: Card) -> bool:
    try:
        return COVER in card.files and (folder / COVER).stat().st_size <= LARGEST
    except OSError:
        return False
