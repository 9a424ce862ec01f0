"""Find data/, models/ and notebooks/ from any working directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kezako import environment
from kezako.errors import KezakoError
from kezako.names import nearest
from kezako.recipe import Recipe, RecipeError, check_folder_name, load_recipe

_PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Workspace:
    """The folder with a maker's recipes, pictures and models."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Workspace:
        """`$KEZAKO_HOME`, else the nearest parent folder that is a workspace, else `start`.

        A parent folder counts only if it has `data/*/recipe.toml` or `models/*/card.json`, so that
        an unrelated `data/` is not taken for a workspace.
        """
        if home := environment.read("HOME"):
            return cls(Path(home).expanduser().resolve())
        start = (start or Path.cwd()).resolve()
        for folder in (start, *start.parents):
            if any(folder.glob("data/*/recipe.toml")) or any(folder.glob("models/*/card.json")):
                return cls(folder)
        return cls(start)

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def models(self) -> Path:
        return self.root / "models"

    def folder(self, name: str) -> Path:
        """`data/NAME`. Raises `KezakoError` if NAME is not a valid folder name."""
        return self.data / check_folder_name(name)

    def pictures(self, name: str) -> Path:
        return self.folder(name) / "pictures"

    def recipe(self, name: str) -> Recipe:
        """The checked recipe of classifier `name`. Raises `RecipeError`."""
        path = self.folder(name) / "recipe.toml"
        if not path.exists() and (near := nearest(name, self.recipes())):
            raise RecipeError(
                f"There is no recipe {path}.{near} Here are: {', '.join(self.recipes())}."
            )
        return load_recipe(path)

    def recipes(self) -> list[str]:
        """The names of the classifiers that have a recipe."""
        return sorted(path.parent.name for path in self.data.glob("*/recipe.toml"))

    def bundle(self, name: str) -> Path:
        """`models/NAME`. Raises `KezakoError` if NAME is not a valid folder name."""
        return self.models / check_folder_name(name)

    def notebook(self, name: str) -> Path:
        """The notebook `name` of this workspace, else the one in the package.

        Raises `KezakoError` if there is neither.
        """
        candidates = [
            self.root / "notebooks",
            _PACKAGE.parent / "notebooks",
            _PACKAGE / "notebooks",
        ]
        for folder in candidates:
            if (folder / f"{name}.ipynb").is_file():
                return folder / f"{name}.ipynb"
        raise KezakoError(f"The notebook {name}.ipynb is missing from {candidates[0]}.")
