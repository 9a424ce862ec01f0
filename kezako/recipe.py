"""Recipes: what to tell apart, and how; one TOML file per classifier."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from kezako.errors import KezakoError
from kezako.names import most_similar, spelling

Task = Literal["single", "multi"]
Resize = Literal["random-crop", "crop", "squish", "pad"]
Backbone = Literal["resnet18", "resnet34", "resnet50"]
Licence = Literal["any", "free"]
Fit = Literal["quick", "full"]

NEITHER = "neither"  # in a multi-label recipe, the folder of pictures that show none of the classes
# The same for a single-label recipe: never trained on; sets the limit of "none of these".
SOMETHING_ELSE = "something-else"
LABEL_SEPARATOR = "+"  # in a multi-label recipe, the folder "cat+dog" has pictures of both
SOURCES = ("duckduckgo", "ddgs", "openverse", "wikimedia")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10))}
_FORBIDDEN = set('/\\:*?"<>|')


class RecipeError(KezakoError):
    """A recipe that cannot be used; the message says which line to change, and how."""


@dataclass(frozen=True)
class Recipe:
    """One classifier's recipe; the defaults are common practice."""

    name: str
    classes: Mapping[str, tuple[str, ...]]  # class -> its search queries, best first
    title: str = "What is this?"
    prompt: str = "Choose a photo."
    answer: str = "This is {label}."  # the page's sentence; {label} becomes the class
    task: Task = "single"  # "multi": a picture may show several classes, or none
    neither: tuple[str, ...] = ()  # multi only: queries for pictures that show none of the classes
    pictures_per_class: int = 150  # common in tutorials; more helps less and less
    sources: tuple[str, ...] = SOURCES  # asked in this order until a class has its pictures
    licence: Licence = (
        "any"  # "free": only Creative Commons or public domain, where a source can tell
    )
    photos_only: bool = True  # no drawings or clip art, where a source can tell
    safe: bool = True  # safe search, where a source can filter
    min_side: int = 64  # pixels; a smaller picture on the web is an icon, or a preview of a photo
    respect_noai: bool = True  # skip pictures whose site sends X-Robots-Tag: noai
    backbone: Backbone = "resnet18"  # the smallest with good ImageNet weights: trains on a laptop
    image_size: int = 224  # pixels a side; what ImageNet's weights were trained at
    resize: Resize = "random-crop"  # how a picture becomes square
    min_scale: float = 0.5  # random-crop: the smallest share of the area that a crop keeps
    colour: bool = True  # False if colour would give the class away for the wrong reason
    augment: bool = True  # fastai's aug_transforms: flip, rotation, lighting, warp
    mult: float = 1.0  # strength of the augmentation: `mult` of aug_transforms
    fit: Fit = "full"  # "quick": a first model quickly, on features of a frozen body
    epochs: int = 4  # for "full"; fewer if the error settles earlier
    learning_rate: float | Literal["find"] = 2e-3  # fine_tune's default, or the finder's suggestion
    validation_share: float = 0.2
    seed: int = 42
    path: Path | None = field(default=None, compare=False)  # the file it was read from

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes in the order of the model's outputs: sorted, as in fastai."""
        return tuple(sorted(self.classes))

    @property
    def folders(self) -> Mapping[str, tuple[str, ...]]:
        """Folder in `pictures/` -> its search queries, including `neither`."""
        return {**self.classes, NEITHER: self.neither} if self.neither else dict(self.classes)

    @property
    def none_folder(self) -> str:
        """The folder of pictures that show none of the classes."""
        return none_folder(self.task)

    def labels_of(self, folder: str) -> tuple[str, ...]:
        """The classes that a picture in `folder` shows: one, or for a multi-label recipe 0 to n."""
        if folder == self.none_folder:
            return ()
        return (folder,) if self.task == "single" else tuple(folder.split(LABEL_SEPARATOR))

    def trains_on(self, folder: str) -> bool:
        """Whether the model is trained on the pictures in `folder`."""
        several = self.task == "multi" and set(self.labels_of(folder)) <= set(self.labels)
        return folder in self.folders or several

    def has_folder(self, folder: str) -> bool:
        """Whether `folder` may hold pictures of this recipe, trained on or not."""
        return self.trains_on(folder) or folder == self.none_folder


def none_folder(task: Task) -> str:
    """The folder of pictures that show none of the classes, for a recipe with this task."""
    return NEITHER if task == "multi" else SOMETHING_ELSE


def load_recipe(path: Path) -> Recipe:
    """Read `data/NAME/recipe.toml`. Raises `RecipeError`."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # Notepad writes a byte order mark
    except FileNotFoundError:
        raise RecipeError(
            f"There is no recipe {path}. Write one with: "
            f"kezako new {path.parent.name} --classes first,second"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} cannot be read as UTF-8 text ({error}).") from error
    return parse_recipe(text, name=path.parent.name, path=path)


def parse_recipe(text: str, name: str, path: Path | None = None) -> Recipe:
    """A checked recipe from the text of its file. Raises `RecipeError`."""
    where = _Where(text, str(path or f"recipe of {name}"))
    values = _loads(text, where)
    for key in values:
        if key not in _CHECKS:
            near = most_similar(key.casefold(), sorted(_CHECKS))
            hint = f'did you mean "{near}"?' if near else f"known are {', '.join(sorted(_CHECKS))}"
            raise where.error(key, f'"{_shown(key)}" is not a setting; {hint}')
    checked = {key: _CHECKS[key](value, where, key) for key, value in values.items()}
    if "classes" not in checked:
        raise where.error_at(None, "the table [classes] is missing; it needs at least two classes")
    recipe = Recipe(name=name, path=path, **checked)
    _check_together(recipe, where)
    return recipe


def check_folder_name(name: str) -> str:
    """`name` in NFC, if it is a valid folder name on every system. Raises `KezakoError`."""
    if not name.strip():
        raise KezakoError("a name must not be empty")
    if any(unicodedata.category(character)[0] == "C" for character in name):
        raise KezakoError(f"{name!r} holds control characters; a name must be plain text")
    if bad := sorted(_FORBIDDEN & set(name)):
        raise KezakoError(f"{name!r} cannot be a folder name; leave out {' '.join(bad)}")
    if name[0] in ". -" or name[-1] in ". ":
        raise KezakoError(
            f"{name!r} cannot be a folder name; it must not begin with a dot, "
            "a dash or a space, nor end with a dot or a space"
        )
    if name.split(".")[0].casefold() in _RESERVED:
        raise KezakoError(f"{name!r} is a device name on Windows; choose another")
    if len(name.encode()) > 100:
        raise KezakoError(f"{name[:20]!r}... is too long for a folder name; use at most 100 bytes")
    return unicodedata.normalize("NFC", name)


_HEADER = re.compile(r"""\s*\[{1,2}((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^"'\]#])+)\]""")
_KEY = re.compile(r"""\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^"'=#\[])+?)\s*=""")


@dataclass(frozen=True)
class _Where:
    """Finds the line of a key for error messages; tomllib does not keep line numbers."""

    text: str
    file: str
    table: tuple[str, ...] = ()  # the table whose keys are being checked

    def error(self, key: str, sentence: str) -> RecipeError:
        return self.error_at(self._line((*self.table, key)), sentence)

    def error_at(self, line: int | None, sentence: str) -> RecipeError:
        place = f"{self.file}, line {line}" if line else self.file
        return RecipeError(f"{place}: {sentence}" + ("" if sentence[-1] in ".?" else "."))

    def _line(self, wanted: tuple[str, ...]) -> int | None:
        """The line where `wanted` is set, else that of the table it belongs to."""
        table: tuple[str, ...] = ()
        best, line = 0, None
        for number, content in enumerate(self.text.splitlines(), 1):
            if header := _HEADER.match(content):
                path = table = _key_path(header[1])
            elif setting := _KEY.match(content):
                path = (*table, *_key_path(setting[1]))
            else:
                continue
            alike = min(len(path), len(wanted))
            if path[:alike] == wanted[:alike] and alike > best:
                best, line = alike, number
        return line


def _key_path(text: str) -> tuple[str, ...]:
    """`classes."snoop dogg"` as its parts; empty if it is not a key."""
    try:
        value: Any = tomllib.loads(f"{text} = 0")
    except ValueError:
        return ()
    path = []
    while isinstance(value, dict):
        (key, value), *_ = value.items()
        path.append(key)
    return tuple(path)


def _loads(text: str, where: _Where) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise where.error_at(None, "this is not valid TOML (nested too deeply)") from None
    except ValueError as error:  # a TOMLDecodeError, or a number with thousands of digits
        said = str(error)
        place = re.search(r" ?\(at line (\d+), column \d+\)", said)
        said = (said.replace(place[0], "") if place else said).rstrip(".")
        sentence = f"this is not valid TOML ({said}); texts stand in quotes, lists in [ ]"
        raise where.error_at(int(place[1]) if place else None, sentence) from None


def _shown(value: object) -> str:
    """`value` in an error: short, and without control characters."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(c if unicodedata.category(c)[0] != "C" else "?" for c in text[:61])
    return text if len(text) <= 60 else f"{text[:57]}..."


def _text(value: Any, where: _Where, key: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 300:
        raise where.error(key, f'"{key}" must be a text in quotes, of 1 to 300 characters')
    if any(unicodedata.category(character)[0] == "C" for character in value):
        raise where.error(key, f'"{key}" must be one line of plain text')
    return value


def _answer(value: Any, where: _Where, key: str) -> str:
    text = _text(value, where, key)
    if "{label}" not in text:
        raise where.error(key, '"answer" must contain {label}, which becomes the class')
    if {"{", "}"} & set(text.replace("{label}", "")):
        raise where.error(key, '"answer" must hold no braces but those of {label}')
    return text


def _texts(value: Any, where: _Where, key: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise where.error(key, f'"{key}" must be a list of texts, like ["grizzly bear"]')
    return tuple(_text(item, where, key) for item in value)


def _classes(value: Any, where: _Where, key: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict) or len(value) < 2:
        raise where.error(key, "[classes] needs at least two classes to tell apart")
    where = replace(where, table=(key,))
    classes: dict[str, tuple[str, ...]] = {}
    for name, queries in value.items():
        # In TOML, everything after [classes] belongs to it, so a setting at the end becomes a
        # class.
        if name in _CHECKS and (name == "sources" or not isinstance(queries, list)):
            raise where.error(name, f'"{name}" is a setting; move it above the line [classes]')
        try:
            folder = check_folder_name(name)
        except ValueError as error:
            raise where.error(name, f"a class cannot be named so: {error}") from None
        if folder.casefold() in {known.casefold() for known in classes}:
            raise where.error(name, f'the class "{name}" stands twice; upper case does not count')
        if isinstance(queries, str):
            queries = [queries]
        classes[folder] = _texts(queries, where, name) or (folder,)
    return classes


def _choice(*choices: str) -> Any:
    def check(value: Any, where: _Where, key: str) -> Any:
        if value not in choices:
            raise where.error(
                key, f'"{key}" must be one of {", ".join(choices)}, not {_shown(value)}'
            )
        return value

    return check


def _number(low: float, high: float, kind: type = float) -> Any:
    def check(value: Any, where: _Where, key: str) -> Any:
        allowed = (int,) if kind is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, allowed) or not low <= value <= high:
            whole = "a whole number" if kind is int else "a number"
            span = f"from {low:.10g} to {high:.10g}"
            raise where.error(key, f'"{key}" must be {whole} {span}, not {_shown(value)}')
        return kind(value)

    return check


def _flag(value: Any, where: _Where, key: str) -> bool:
    if not isinstance(value, bool):
        raise where.error(key, f'"{key}" must be true or false, not {_shown(value)}')
    return value


def _learning_rate(value: Any, where: _Where, key: str) -> Any:
    if value == "find":
        return value
    if isinstance(value, str):
        raise where.error(key, '"learning_rate" must be a number such as 0.002, or "find"')
    return _number(1e-6, 1.0)(value, where, key)


def _image_size(value: Any, where: _Where, key: str) -> int:
    size = _number(64, 512, int)(value, where, key)
    if size % 32:
        raise where.error(key, f'"image_size" must be a multiple of 32, such as 224, not {size}')
    return int(size)


def _check_together(recipe: Recipe, where: _Where) -> None:
    if recipe.task == "single" and recipe.neither:
        raise where.error("neither", '"neither" needs task = "multi"')
    if recipe.task == "single":
        where = replace(where, table=("classes",))
        for name in recipe.classes:
            if spelling(name) == spelling(SOMETHING_ELSE):
                raise where.error(
                    name,
                    f'a class cannot be called "{name}": pictures that show none of the classes '
                    f'are put into the folder "{SOMETHING_ELSE}", which sets the limit of "none of '
                    'these" and is no class; leave this line out, or choose another name',
                )
    if recipe.task == "multi":
        where = replace(where, table=("classes",))
        for name in recipe.classes:
            if name.casefold() == NEITHER or LABEL_SEPARATOR in name:
                raise where.error(
                    name,
                    f'in a multi-label recipe a class cannot be "{name}": '
                    f'"{NEITHER}" and "{LABEL_SEPARATOR}" have a meaning of their own',
                )


_CHECKS: Mapping[str, Any] = {
    "classes": _classes,
    "title": _text,
    "prompt": _text,
    "answer": _answer,
    "task": _choice(*get_args(Task)),
    "neither": _texts,
    "pictures_per_class": _number(2, 100_000, int),
    "sources": _texts,
    "licence": _choice(*get_args(Licence)),
    "photos_only": _flag,
    "safe": _flag,
    "min_side": _number(16, 512, int),
    "respect_noai": _flag,
    "backbone": _choice(*get_args(Backbone)),
    "image_size": _image_size,
    "resize": _choice(*get_args(Resize)),
    "min_scale": _number(0.05, 1.0),
    "colour": _flag,
    "augment": _flag,
    "mult": _number(0.0, 3.0),
    "fit": _choice(*get_args(Fit)),
    "epochs": _number(1, 1000, int),
    "learning_rate": _learning_rate,
    "validation_share": _number(0.05, 0.5),
    "seed": _number(0, 2**31 - 1, int),
}
