"""An untrained learner of every kind, and small workspaces that were really gathered."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import kezako.train  # noqa: F401  (before torchvision)

from fastai.vision.all import (  # isort: skip
    CategoryBlock, DataBlock, FuncSplitter, ImageBlock, Learner, MultiCategoryBlock, Normalize,
    PadMode, PILImage, PILImageBW, RandomResizedCrop, Resize, ResizeMethod, aug_transforms,
    accuracy_multi, error_rate, imagenet_stats, parent_label, set_seed, vision_learner,
)  # fmt: skip

from kezako.gather import gather_from
from kezako.recipe import Recipe
from kezako.train.dataset import Pictures, label_reader
from kezako.train.weights import Weights, find_weights, make_backbone
from kezako.workspace import Workspace
from tests.once import made_once

MODELS = Path(__file__).parents[2] / "models"

RECIPE = """
title = "Which?"
answer = "This is {{label}}."
task = "{task}"
resize = "{resize}"
colour = {colour}
image_size = 96
epochs = 1
{neither}
[classes]
{classes}
"""


@pytest.fixture(scope="session")
def a_gathered_recipe(
    some_photos: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[Recipe, Workspace]]:
    """Gathers 20 photos a class for a recipe with the given settings; checked once a run."""

    def gather(
        task: str = "single", resize: str = "random-crop", colour: bool = True
    ) -> tuple[Recipe, Workspace]:
        def make(folder: Path) -> None:
            workspace, saved = Workspace(folder), folder / "saved"
            for name, photos in some_photos.items():
                neither = task == "multi" and name == list(some_photos)[-1]
                (saved / ("neither" if neither else name)).mkdir(parents=True)
                for photo in photos[:20]:
                    shutil.copy(photo, saved / ("neither" if neither else name))
            workspace.folder("these").mkdir(parents=True)
            write(workspace)
            gather_from(workspace.recipe("these"), workspace, saved)

        def write(workspace: Workspace) -> None:
            saved = sorted((workspace.root / "saved").iterdir())
            (workspace.folder("these") / "recipe.toml").write_text(
                RECIPE.format(
                    task=task,
                    resize=resize,
                    colour=str(colour).lower(),
                    neither='neither = ["other"]' if task == "multi" else "",
                    classes="\n".join(f"{x.name} = []" for x in saved if x.name != "neither"),
                )
            )

        made = made_once(tmp_path_factory, f"photos-{task}", make)
        workspace = Workspace(tmp_path_factory.mktemp("these").resolve())
        shutil.copytree(made, workspace.root, dirs_exist_ok=True)
        write(workspace)
        return workspace.recipe("these"), workspace

    return gather


@pytest.fixture
def some_faces(
    tmp_path: Path, gathered_faces: Callable[[Workspace, int], Recipe]
) -> Callable[..., tuple[Recipe, Workspace]]:
    """Draws 20 faces of each mood, for a recipe at 64 px with the given settings."""

    def draw(**settings: Any) -> tuple[Recipe, Workspace]:
        workspace = Workspace(tmp_path.resolve())
        recipe = gathered_faces(workspace, 20)
        return replace(recipe, image_size=64, **settings), workspace

    return draw


@pytest.fixture(scope="module")
def the_starter() -> Iterator[Weights]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("KEZAKO_WEIGHTS", "starter")  # no test reaches for a network
        yield find_weights("resnet18", MODELS)


@pytest.fixture(scope="module")
def an_untrained_learner(the_starter: Weights) -> Callable[[Recipe, Pictures], Learner]:
    """What the notebook builds before it fits: a pretrained body and a random head."""

    def build(recipe: Recipe, pictures: Pictures) -> Learner:
        size, multi = recipe.image_size, recipe.task == "multi"
        methods = {
            "crop": Resize(size, ResizeMethod.Crop),
            "squish": Resize(size, ResizeMethod.Squish),
            "pad": Resize(size, ResizeMethod.Pad, pad_mode=PadMode.Reflection),
            "random-crop": RandomResizedCrop(size, min_scale=recipe.min_scale),
        }
        target = MultiCategoryBlock if multi else CategoryBlock
        block = DataBlock(
            (ImageBlock(PILImage if recipe.colour else PILImageBW), target(vocab=recipe.labels)),
            get_y=label_reader(recipe) if multi else parent_label,
            splitter=FuncSplitter(pictures.is_valid),
            item_tfms=methods[recipe.resize],
            batch_tfms=[*aug_transforms(), Normalize.from_stats(*imagenet_stats)],
        )
        set_seed(recipe.seed)
        loaders = block.dataloaders(pictures.paths, bs=pictures.batch_size, num_workers=0)
        metrics = accuracy_multi if multi else error_rate
        return vision_learner(loaders, make_backbone("resnet18", the_starter), metrics=metrics)

    return build
