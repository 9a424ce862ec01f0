"""Draw a dataset of faces, so that you can try everything without a network.

Every drawing depends only on (seed, class, number), and is made of polygons with integer
coordinates, so that it is the same on every machine.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from PIL import Image, ImageChops, ImageDraw

from kezako.dataset.manifest import Manifest, changing
from kezako.errors import KezakoError
from kezako.gather.new import write_recipe
from kezako.recipe import Recipe
from kezako.workspace import Workspace

Colour = tuple[int, int, int]
Point = tuple[float, float]

NAME = "smileys"
FINER = 3  # drawn so many times larger, then averaged down: smooth edges
CLASSES = ("happy", "sad", "surprised")

RECIPE = """\
# Drawn faces: a sample that needs no network. Drawn by: kezako sample smileys
# Then: kezako train smileys && kezako serve smileys

title  = "How does this face feel?"
prompt = "Choose a drawing of a face."
answer = "This face is {label}."

sources = []                            # nothing to search for: the pictures are drawn
image_size = 96                         # lines are thick; small pictures train in seconds
resize = "squish"                       # the mouth says all, and a crop could cut it off
augment = false                         # no two drawings are turned or lit alike as it is
epochs = 10
learning_rate = 8e-3                    # bold: drawings are far from the photos behind the weights

[classes]
happy = []
sad = []
surprised = []
"""


def draw_sample(
    workspace: Workspace,
    pictures: int = 100,  # of each class
    seed: int = 42,
) -> Recipe:
    """Draw the missing pictures into `data/smileys/pictures/CLASS/`, and write the recipe.

    Raises `KezakoError` if `data/smileys` has another recipe, or another process changes it.
    """
    from tqdm.auto import tqdm  # lazy, as it is only needed here

    if not 2 <= pictures <= 100_000:
        raise KezakoError(f"--pictures must be from 2 to 100000 for each class, not {pictures}")
    recipe = _recipe(workspace)
    wanted = [(folder, number) for number in range(pictures) for folder in CLASSES]
    with changing(workspace.folder(NAME)) as manifest:
        known = _known(manifest)
        for folder, number in tqdm(wanted, desc="Drawing faces", unit="picture"):
            path = workspace.pictures(NAME) / folder / f"{folder}-{seed}-{number:05d}.jpg"
            if path.name not in known and not path.exists():
                _write(path, _jpeg(draw_face(folder, number, seed)))
    return recipe


def _known(manifest: Manifest) -> set[str]:
    """Drawings in the manifest: one that you moved or removed is not drawn again."""
    rows = [row for row in manifest.rows() if row.file and row.status != "missing"]
    return {Path(str(row.file)).name for row in rows}


def draw_face(
    mood: str,  # one of CLASSES
    number: int,
    seed: int = 42,
) -> Image.Image:
    """One face in RGB, with sides of 112 to 144 pixels."""
    rng = Random(f"{seed}/{mood}/{number}")
    width, height = rng.randint(112, 144), rng.randint(112, 144)
    image = _background(rng, (width * FINER, height * FINER))
    face = _Face.at_random(rng, image)
    _head(face, rng)
    _MOODS[mood](face, rng)
    _extras(face, rng)
    return _noise(image.reduce(FINER), rng)


@dataclass(frozen=True)
class _Face:
    """A face's position: converts its own coordinates (-1 to 1, y down) to pixels."""

    draw: ImageDraw.ImageDraw
    centre: Point  # pixels
    radius: Point  # pixels: half of its width and height
    turn: float  # radians
    line: int  # pixels
    skin: Colour
    ink: Colour

    @classmethod
    def at_random(cls, rng: Random, image: Image.Image) -> _Face:
        width, height = image.size
        size = min(width, height) * rng.uniform(0.41, 0.49)
        return cls(
            draw=ImageDraw.Draw(image),
            centre=(_place(rng, width, size), _place(rng, height, size)),
            radius=(size * rng.uniform(0.78, 1.0), size * rng.uniform(0.82, 1.0)),
            turn=math.radians(rng.uniform(-12, 12)),
            line=round(size * rng.uniform(0.07, 0.13)),
            skin=_colour(rng, 180, 255),
            ink=_colour(rng, 0, 70),
        )

    def at(self, x: float, y: float) -> tuple[int, int]:
        x, y = x * self.radius[0], y * self.radius[1]
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        return (
            round(self.centre[0] + x * cos - y * sin),
            round(self.centre[1] + x * sin + y * cos),
        )

    def fill(self, points: list[Point], colour: Colour, outline: bool = True) -> None:
        corners = [self.at(*point) for point in points]
        self.draw.polygon(corners, fill=colour)
        if outline:
            self._stroke([*corners, corners[0], corners[1]], self.line)

    def stroke(self, points: list[Point], width: float = 1.0) -> None:
        """A line through `points` with round ends; `width` is a factor of the face's line width."""
        self._stroke([self.at(*point) for point in points], max(2, round(self.line * width)))

    def _stroke(self, corners: list[tuple[int, int]], width: int) -> None:
        self.draw.line(corners, fill=self.ink, width=width, joint="curve")
        for x, y in (corners[0], corners[-1]):
            half = width // 2
            self.draw.ellipse((x - half, y - half, x + half, y + half), fill=self.ink)


def _happy(face: _Face, rng: Random) -> None:
    _eyes(face, rng, open_=rng.uniform(0.5, 1.1), laughing=rng.random() < 0.5)
    _brows(face, rng, inner=rng.uniform(0.0, 0.08))
    wide, deep, y = rng.uniform(0.42, 0.62), rng.uniform(0.26, 0.4), rng.uniform(0.16, 0.28)
    if rng.random() < 0.5:  # an open, laughing mouth
        face.fill([*_arc(wide, deep * 1.6, y), (-wide, y)], _inside(rng))
    else:
        face.stroke(_arc(wide, deep, y), 1.3)


def _sad(face: _Face, rng: Random) -> None:
    _eyes(face, rng, open_=rng.uniform(0.5, 1.1))
    _brows(face, rng, inner=rng.uniform(-0.24, -0.08))
    wide, deep, y = rng.uniform(0.38, 0.58), rng.uniform(0.26, 0.4), rng.uniform(0.56, 0.66)
    if rng.random() < 0.15:  # a wailing mouth
        face.fill([*_arc(wide, -deep * 1.4, y + 0.06), (-wide, y + 0.06)], _inside(rng))
    else:
        face.stroke(_arc(wide, -deep, y), 1.3)
    if rng.random() < 0.35:  # a tear
        side = rng.choice((-1, 1))
        tear = _oval(side * rng.uniform(0.36, 0.5), rng.uniform(0.05, 0.3), 0.06, 0.11)
        face.fill(tear, (120, 190, 255), outline=False)


def _surprised(face: _Face, rng: Random) -> None:
    _eyes(face, rng, open_=rng.uniform(1.2, 1.8))
    _brows(face, rng, inner=rng.uniform(-0.08, 0.04), lift=rng.uniform(0.02, 0.16))
    wide, high = rng.uniform(0.2, 0.3), rng.uniform(0.24, 0.34)
    mouth = _oval(rng.uniform(-0.08, 0.08), rng.uniform(0.4, 0.52), wide, high)
    face.fill(mouth, _inside(rng))


_MOODS: dict[str, Callable[[_Face, Random], None]] = {
    "happy": _happy,
    "sad": _sad,
    "surprised": _surprised,
}


def _head(face: _Face, rng: Random) -> None:
    if rng.random() < 0.2:  # hair, or a hat, behind the head
        low, high = rng.uniform(-0.5, -0.1), rng.uniform(1.05, 1.3)
        top = [(x * 1.05, low - (high + low) * y) for x, y in _half_circle()]
        face.fill(top, _colour(rng, 0, 255))
    bulge = rng.choice((2.0, 2.0, 2.3, 2.6))  # from a circle towards a square
    face.fill([_bulged(math.tau * step / 60, bulge) for step in range(60)], face.skin)


def _eyes(face: _Face, rng: Random, open_: float, laughing: bool = False) -> None:
    apart, y = rng.uniform(0.3, 0.44), rng.uniform(-0.34, -0.14)
    wide = rng.uniform(0.07, 0.15)
    style = rng.choice(("dot", "ball", "line")) if open_ < 0.9 else rng.choice(("dot", "ball"))
    gaze = rng.uniform(-0.4, 0.4) * wide
    for x in (-apart, apart):
        if laughing:
            face.stroke([(x + dx, y - dy) for dx, dy in _arc(wide * 1.4, wide * 1.4, 0)])
        elif style == "line":
            face.stroke([(x, y - wide), (x, y + wide)], 1.2)
        elif style == "dot":
            face.fill(_oval(x, y, wide * 0.7, wide * open_), face.ink, outline=False)
        else:
            face.fill(_oval(x, y, wide * 1.3, wide * 1.5 * open_), (250, 250, 250))
            face.fill(_oval(x + gaze, y, wide * 0.6, wide * 0.7), face.ink, outline=False)


def _brows(face: _Face, rng: Random, inner: float, lift: float = 0.0) -> None:
    if rng.random() < 0.1:
        return
    y = rng.uniform(-0.62, -0.52) - lift
    for side in (-1, 1):
        face.stroke([(side * 0.54, y), (side * 0.22, y + inner)], 0.8)


def _extras(face: _Face, rng: Random) -> None:
    """Features that any face may have, so that they say nothing about the mood."""
    if rng.random() < 0.2:  # cheeks
        colour = _colour(rng, 120, 255)
        for side in (-1, 1):
            face.fill(_oval(side * 0.62, 0.2, 0.12, 0.1), colour, outline=False)
    if rng.random() < 0.1:  # a nose
        face.stroke([(0, -0.1), (rng.choice((-1, 1)) * 0.1, 0.12), (0, 0.14)], 0.7)
    if rng.random() < 0.1:  # glasses
        for side in (-1, 1):
            ring = _oval(side * 0.4, -0.24, 0.28, 0.25)
            face.stroke([*ring, ring[0]], 0.6)
        face.stroke([(-0.12, -0.24), (0.12, -0.24)], 0.6)


def _background(rng: Random, size: tuple[int, int]) -> Image.Image:
    """A gradient with things on it: bars, blobs and scribbles."""
    width, height = size
    mask = Image.linear_gradient("L").rotate(90 * rng.randrange(4)).resize(size)
    image = Image.composite(
        Image.new("RGB", size, _colour(rng, 0, 255)),
        Image.new("RGB", size, _colour(rng, 0, 255)),
        mask,
    )
    draw = ImageDraw.Draw(image)
    for _ in range(rng.randint(2, 8)):
        x, y = rng.randrange(width), rng.randrange(height)
        reach = rng.uniform(0.05, 0.3) * min(size)
        corners = [
            (round(x + reach * rng.uniform(-1, 1)), round(y + reach * rng.uniform(-1, 1)))
            for _ in range(rng.randint(3, 6))
        ]
        colour = _colour(rng, 0, 255)
        if rng.random() < 0.6:
            draw.polygon(corners, fill=colour)
        else:
            draw.line(corners, fill=colour, width=round(min(size) * rng.uniform(0.01, 0.05)))
    return image


def _noise(image: Image.Image, rng: Random) -> Image.Image:
    """Grain of random strength, the same in all three channels."""
    strength = rng.choice((0, 0, 1, 1, 2))  # sixteenths of full contrast
    if not strength:
        return image
    grain = Image.frombytes("L", image.size, rng.randbytes(image.width * image.height))
    grain = grain.point([round((value - 128) * strength / 16 + 128) for value in range(256)])
    return ImageChops.add(image, Image.merge("RGB", [grain] * 3), offset=-128)


def _arc(wide: float, deep: float, y: float) -> list[Point]:
    """A parabola from (-wide, y) to (wide, y), sagging by `deep`."""
    steps = [step / 8 - 1 for step in range(17)]  # -1 to 1
    return [(wide * step, y + deep * (1 - step * step)) for step in steps]


def _oval(x: float, y: float, wide: float, high: float) -> list[Point]:
    angles = (math.tau * step / 32 for step in range(32))
    return [(x + wide * math.cos(angle), y + high * math.sin(angle)) for angle in angles]


def _half_circle() -> Iterator[Point]:
    return ((math.cos(math.pi * s / 24), math.sin(math.pi * s / 24)) for s in range(25))


def _bulged(angle: float, power: float) -> Point:
    """A point of |x|^power + |y|^power = 1."""
    cos, sin = math.cos(angle), math.sin(angle)
    length = (abs(cos) ** power + abs(sin) ** power) ** (1 / power)
    return cos / length, sin / length


def _place(rng: Random, side: int, size: float) -> float:
    """A coordinate of the centre that keeps all but a sliver of the face in the picture."""
    margin = min(size * 0.95, side / 2)
    return rng.uniform(margin, side - margin)


def _colour(rng: Random, low: int, high: int) -> Colour:
    return rng.randint(low, high), rng.randint(low, high), rng.randint(low, high)


def _inside(rng: Random) -> Colour:
    """The colour of an open mouth."""
    return rng.randint(60, 200), rng.randint(0, 80), rng.randint(0, 100)


def _recipe(workspace: Workspace) -> Recipe:
    path = workspace.folder(NAME) / "recipe.toml"
    if not path.exists():
        write_recipe(path, RECIPE)
    recipe = workspace.recipe(NAME)
    if missing := sorted(set(CLASSES) - set(recipe.folders)):
        raise KezakoError(
            f"{path} is a recipe of something else: it has no class {', '.join(missing)}. "
            f"Move the folder {path.parent} away and run this again."
        )
    return recipe


def _jpeg(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _write(path: Path, content: bytes) -> None:
    """Atomic write: after a kill, what is left has another suffix and is overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.parent / f".{path.name}.part"
    part.write_bytes(content)
    os.replace(part, path)
