"""The pictures of the stand-in's web: real photos where there are some, else drawn ones."""

from __future__ import annotations

import hashlib
import io
import random
import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from urllib.parse import quote

from PIL import Image, ImageDraw, ImageFilter

_SEED = 17997  # with it, the classes of each shipped recipe get colours far apart
HOSTS = 8  # picture hosts, pictures-0.test and on
_ALIASES = {
    "neither": {"landscape", "building", "buildings", "mountain", "city"},
    "black": {"american"},
    "happy": {"smiling", "laughing"},
    "sad": {"unhappy", "crying"},
    "angry": {"furious", "shouting"},
    "female": {"woman", "women"},
    "male": {"man", "men"},
}


@dataclass(frozen=True)
class Pictures:
    """Which pictures there are for a query, and their bytes."""

    photos: Path | None
    drawn: int  # how many there are for a query that no photo fits

    def paths(self, query: str) -> list[str]:
        """The paths of all pictures for a query, "/photo/bears/black/00000.jpg"."""
        if shelf := self._shelf(query):
            # Other words for the same find the same, in another order: some of it again.
            first = _digest(query) % max(1, len(shelf.files))
            files = shelf.files[first:] + shelf.files[:first]
            return [f"/photo/{shelf.name}/{file}" for file in files]
        words = quote("-".join(_words(query)) or "nothing")
        return [f"/drawn/{words}/{number:05}.jpg" for number in range(self.drawn)]

    def read(self, path: str) -> bytes | None:
        """The JPEG of one of those paths; None where there is no such picture."""
        if found := re.fullmatch(r"/drawn/([^/]{1,200})/(\d{1,9})(?:~\d+)?\.jpg", path):
            return draw(found[1], int(found[2]))
        found = re.fullmatch(r"/photo/([\w-]+)/([\w-]+)/([\w-]+)(?:~\d+)?(\.\w+)", path)
        if not found or self.photos is None:
            return None
        file = self.photos / found[1] / found[2] / f"{found[3]}{found[4]}"
        return file.read_bytes() if file.is_file() else None

    def _shelf(self, query: str) -> _Shelf | None:
        words = set(_words(query))
        best = max(self._shelves, key=lambda shelf: shelf.fit(words), default=None)
        return best if best and best.fit(words) else None

    @cached_property
    def _shelves(self) -> list[_Shelf]:
        if self.photos is None:
            return []
        folders = sorted(folder for folder in self.photos.glob("*/*") if folder.is_dir())
        return [_Shelf(folder) for folder in folders]


@dataclass(frozen=True)
class _Shelf:
    """One folder of photos, photos/RECIPE/CLASS."""

    folder: Path
    files: list[str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", sorted(file.name for file in self.folder.iterdir()))

    @property
    def name(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}"

    def fit(self, words: set[str]) -> int:
        """How well the words of a query name this class; 0 is not at all."""
        named = set(_words(self.folder.name))
        if not (named <= words or _ALIASES.get(self.folder.name, set()) & words):
            return 0
        kin = set(_words(self.folder.parent.name))
        kin |= {word.removesuffix("s") for word in kin}
        return 2 + len(kin & words)


def address(
    path: str,
    base: str | None = None,  # "http://127.0.0.1:PORT"; None: the host that the path falls to
) -> str:
    """Where a picture is: always the same host for the same path."""
    return f"{base or f'https://pictures-{_digest(path) % HOSTS}.test'}{path}"


@lru_cache(maxsize=4096)
def draw(
    words: str,  # what it shows; the first of them decides the shape and its colour
    number: int,  # which of them: decides all the rest
) -> bytes:
    """A JPEG that a classifier can learn, and that is near to no other."""
    first = words.split("-")[0]
    shown = next((name for name, others in _ALIASES.items() if first in others), first)
    kind = random.Random(_digest(f"{_SEED} {shown}"))
    chance = random.Random(_digest(f"{words}/{number}"))
    hue, corners = kind.randrange(360), kind.choice((0, 3, 4, 6))
    width, height = chance.randrange(160, 320), chance.randrange(160, 320)
    image = Image.new("RGB", (width, height), _colour(chance.randrange(360), 20, 80))
    pen = ImageDraw.Draw(image)
    for _ in range(14):
        box = _box(chance, width, height, 0.5)
        pen.rectangle(box, fill=_colour(chance.randrange(360), 30, chance.randrange(15, 95)))
    image = image.filter(ImageFilter.GaussianBlur(2))
    pen = ImageDraw.Draw(image)
    for _ in range(3):
        box = _box(chance, width, height, 0.7)
        fill = _colour((hue + chance.randrange(-12, 13)) % 360, 90, chance.randrange(40, 65))
        if corners:
            centre = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, (box[2] - box[0]) / 2
            pen.regular_polygon(centre, corners, rotation=chance.randrange(360), fill=fill)
        else:
            pen.ellipse(box, fill=fill)
    target = io.BytesIO()
    image.save(target, "JPEG", quality=85)
    return target.getvalue()


def _box(chance: random.Random, width: int, height: int, most: float) -> tuple[int, int, int, int]:
    across = round(chance.uniform(0.2, most) * width)
    down = round(chance.uniform(0.2, most) * height)
    left = chance.randrange(-across // 4, width - across // 2)
    top = chance.randrange(-down // 4, height - down // 2)
    return left, top, left + across, top + down


def _colour(hue: int, saturation: int, lightness: int) -> str:
    return f"hsl({hue},{saturation}%,{lightness}%)"


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold().replace("_", " "))


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
