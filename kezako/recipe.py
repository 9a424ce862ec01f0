"""Recipes: what to tell apart, and how; one TOML file per classifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from kezako import recipe_checks as checks
from kezako.names import spelling
from kezako.recipe_checks import check_folder_name
from kezako.recipe_lines import RecipeError, Where, loads
from kezako.translations import Translation, alike

__all__ = ["Recipe", "RecipeError", "check_folder_name", "load_recipe", "parse_recipe"]

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


@dataclass(frozen=True)
class Recipe:
    """One classifier's recipe; the defaults are common practice."""

    name: str
    classes: Mapping[str, tuple[str, ...]]  # class -> its search queries, best first
    names: Mapping[str, str] = field(default_factory=dict)  # class -> what people read instead
    title: str = "Which of these is it?"
    prompt: str = "Choose a photo."
    answer: str = "This looks like: {label}."  # {label} becomes the class, or its display name
    language: str = ""  # of the page's own sentences; empty: the visitor's browser decides
    # language -> the maker's translations
    words: Mapping[str, Translation] = field(default_factory=dict)
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

    def name_of(self, label: str) -> str:
        """What people read for a class: its display name, or the class itself."""
        return self.names.get(label, label)

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
    where = Where(text, str(path or f"recipe of {name}"))
    values = loads(text, where)
    checks.refuse_unknown(values, _CHECKS, where, "a setting")
    _refuse_misplaced(values.get("classes"), where)
    checked = {key: _CHECKS[key](value, where, key) for key, value in values.items()}
    if "classes" not in checked:
        raise where.error_at(None, "the table [classes] is missing; it needs at least two classes")
    classes: dict[str, checks.Class] = checked.pop("classes")
    recipe = Recipe(
        name=name,
        path=path,
        classes={label: each.queries for label, each in classes.items()},
        names={label: each.name for label, each in classes.items() if each.name},
        **checked,
    )
    _check_together(recipe, where)
    return recipe


def _refuse_misplaced(classes: Any, where: Where) -> None:
    """In TOML, everything after [classes] belongs to it: a setting there would become a class."""
    where = replace(where, table=("classes",))
    for name, given in classes.items() if isinstance(classes, dict) else ():
        if name in _CHECKS and (name == "sources" or not isinstance(given, list | dict)):
            raise where.error(name, f'"{name}" is a setting; move it above the line [classes]')


def _check_together(recipe: Recipe, where: Where) -> None:
    if recipe.task == "single" and recipe.neither:
        raise where.error("neither", '"neither" needs task = "multi"')
    classes = replace(where, table=("classes",))
    if recipe.task == "single":
        for name in recipe.classes:
            if spelling(name) == spelling(SOMETHING_ELSE):
                raise classes.error(
                    name,
                    f'a class cannot be called "{name}": pictures that show none of the classes '
                    f'are put into the folder "{SOMETHING_ELSE}", which sets the limit of "none of '
                    'these" and is no class; leave this line out, or choose another name',
                )
    if recipe.task == "multi":
        for name in recipe.classes:
            if name.casefold() == NEITHER or LABEL_SEPARATOR in name:
                raise classes.error(
                    name,
                    f'in a multi-label recipe a class cannot be "{name}": '
                    f'"{NEITHER}" and "{LABEL_SEPARATOR}" have a meaning of their own',
                )
    _check_distinct({label: recipe.name_of(label) for label in recipe.classes}, classes)
    for tag, words in recipe.words.items():
        inside = replace(where, table=("words", tag, "classes"))
        checks.refuse_unknown(words.classes, recipe.classes, inside, "a class of this recipe")
        shown = {label: words.classes.get(label, recipe.name_of(label)) for label in recipe.classes}
        _check_distinct(shown, inside)


def _check_distinct(shown: Mapping[str, str], where: Where) -> None:
    """A visitor could not tell two classes of the same display name apart."""
    if same := alike(shown):
        first, second = same
        raise where.error(
            second, f'"{first}" and "{second}" would be shown to people by the same name'
        )


_CHECKS: Mapping[str, Any] = {
    "classes": checks.classes,
    "title": checks.text,
    "prompt": checks.text,
    "answer": checks.answer,
    "language": checks.language,
    "words": checks.words,
    "task": checks.choice(*get_args(Task)),
    "neither": checks.texts,
    "pictures_per_class": checks.number(2, 100_000, int),
    "sources": checks.texts,
    "licence": checks.choice(*get_args(Licence)),
    "photos_only": checks.flag,
    "safe": checks.flag,
    "min_side": checks.number(16, 512, int),
    "respect_noai": checks.flag,
    "backbone": checks.choice(*get_args(Backbone)),
    "image_size": checks.image_size,
    "resize": checks.choice(*get_args(Resize)),
    "min_scale": checks.number(0.05, 1.0),
    "colour": checks.flag,
    "augment": checks.flag,
    "mult": checks.number(0.0, 3.0),
    "fit": checks.choice(*get_args(Fit)),
    "epochs": checks.number(1, 1000, int),
    "learning_rate": checks.learning_rate,
    "validation_share": checks.number(0.05, 0.5),
    "seed": checks.number(0, 2**31 - 1, int),
}
