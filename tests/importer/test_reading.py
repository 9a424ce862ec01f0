"""What an export says of itself is read; what a page cannot do is refused by the step's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastai.vision.all import (
    BCEWithLogitsLossFlat,
    Callback,
    CategoryBlock,
    CropPad,
    FlipItem,
    ImageBlock,
    IntToFloatTensor,
    Learner,
    MixUp,
    MultiCategoryBlock,
    Normalize,
    PILImage,
    RandomCrop,
    RatioResize,
    RegressionBlock,
    Resize,
    SaveModelCallback,
    Transform,
    TransformBlock,
    accuracy,
    imagenet_stats,
)
from torch import nn

from kezako.importer.allowlist import Refused
from kezako.importer.convert import Order, convert
from tests.importer.answers import ours, read, theirs


class Inverted(Transform):
    """A step of the maker's own, for every picture."""

    def encodes(self, picture: PILImage) -> PILImage:
        return picture


Inverted.__module__ = "__main__"


def upside_down(picture: Any) -> Any:
    return picture


upside_down.__module__ = "__main__"


def network(classes: int = 2) -> nn.Module:
    """As small as can be."""
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes)),
    )


@pytest.fixture
def export_of(
    a_stock_learner: Callable[..., Any], exported: Callable[..., Path]
) -> Callable[..., Path]:
    def export(**settings: Any) -> Path:
        return exported(a_stock_learner(**{"arch": network(), "make": Learner, **settings}))

    return export


def always(step: Any) -> Any:
    """A step of fastai's that is told to change validation pictures too."""
    step.split_idx = None
    return step


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "not square": ("not square", {"items": Resize((64, 96))}),
    "a ratio": ("RatioResize cannot be done by the page: it changes every picture",
                {"items": [RatioResize(64), Resize(64)]}),
    "cut unevenly": ("CropPad cannot be done by the page: its pictures are not square",
                     {"items": [Resize(64), CropPad((48, 32))]}),
    "too small": ("pictures of 16 pixels a side", {"items": [Resize(64), RandomCrop(16)]}),
    "turned always": ("FlipItem", {"items": [Resize(64), always(FlipItem(1))]}),
    "own step": ("--skip Inverted", {"items": [Resize(64), Inverted()]}),
    "own function": ("upside_down", {"blocks": (
        TransformBlock([PILImage.create, upside_down], [IntToFloatTensor]), CategoryBlock)}),
    "numbers": ("it predicts numbers", {
        "blocks": (ImageBlock, RegressionBlock), "get_y": lambda path: 1.0,
        "loss_func": nn.MSELoss()}),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_a_page_cannot_do_is_named(kind: str, export_of: Callable[..., Path]) -> None:
    named, settings = REFUSED[kind]
    with pytest.raises(Refused) as refusal:
        read(export_of(**settings))
    assert named in str(refusal.value)


def test_a_size_that_the_file_does_not_say_is_asked_for(export_of: Callable[..., Path]) -> None:
    export = export_of(items=[])
    with pytest.raises(Refused, match="--size 224 --resize squish"):
        read(export)
    with pytest.raises(Refused, match="--size is to be from 32"):
        read(export, size=5, resize="squish")
    seen = read(export, size=64, resize="squish").seen
    assert (seen.size, seen.resize) == (64, "squish")


def test_a_step_can_be_left_out_on_the_makers_word(export_of: Callable[..., Path]) -> None:
    export = export_of(items=[Resize(64), Inverted()])
    learnt = read(export, skip=("Inverted",))
    assert learnt.seen.size == 64
    assert learnt.notes == ["The step Inverted is left out, as --skip says."]


def test_false_and_true_can_be_given_names(export_of: Callable[..., Path]) -> None:
    is_happy: Any = lambda path: path.parent.name == "happy"  # noqa: E731
    is_happy.__module__ = "__main__"
    export = export_of(get_y=is_happy)
    learnt = read(export)
    assert learnt.labels == ("False", "True")
    assert "--labels dog,cat" in learnt.notes[0]
    assert read(export, labels=("sad", "happy")).labels == ("sad", "happy")
    with pytest.raises(Refused, match="--labels gives 3 names, but there are 2 classes"):
        read(export, labels=("a", "b", "c"))


def test_labels_in_other_scripts_and_with_markup_are_kept_as_text(
    export_of: Callable[..., Path],
) -> None:
    names = {"happy": "<b>löwe</b>\n", "sad": "狮子"}
    assert read(export_of(get_y=lambda path: names[path.parent.name])).labels == (
        "<b>löwe</b>", "狮子",
    )  # fmt: skip


def test_the_threshold_of_a_multi_label_learner_is_kept(export_of: Callable[..., Path]) -> None:
    learnt = read(export_of(
        blocks=(ImageBlock, MultiCategoryBlock), get_y=lambda path: [path.parent.name],
        loss_func=BCEWithLogitsLossFlat(thresh=0.3),
    ))  # fmt: skip
    assert learnt.task == "multi"
    assert learnt.thresholds == {"happy": 0.3, "sad": 0.3}


def test_how_it_saw_pictures(export_of: Callable[..., Path]) -> None:
    learnt = read(export_of(items=Resize(80, "squish")))
    assert (learnt.seen.size, learnt.seen.resize, learnt.seen.mode) == (80, "squish", "RGB")
    assert learnt.seen.mean == pytest.approx(imagenet_stats[0])
    assert learnt.seen.std == pytest.approx(imagenet_stats[1])
    assert learnt.labels == ("happy", "sad")
    plain = read(export_of(batch=[IntToFloatTensor()])).seen
    assert (plain.mean, plain.std) == ((0, 0, 0), (1, 1, 1))


def test_classes_and_network_must_fit(
    a_stock_learner: Callable[..., Any], exported: Callable[..., Path], tmp_path: Path
) -> None:
    export = exported(a_stock_learner(arch=network(classes=5), make=Learner,
                                      batch=Normalize.from_stats(*imagenet_stats)))  # fmt: skip
    with pytest.raises(Refused, match="answers with 5 numbers, but there are 2 classes"):
        convert(Order(str(export), str(tmp_path)))


def test_callbacks_and_metrics_of_the_makers_stay_behind(
    export_of: Callable[..., Path], some_faces: Path
) -> None:
    class Noted(Callback):
        """A callback of the maker's own."""

    Noted.__module__ = "__main__"
    export = export_of(metrics=[accuracy], cbs=[Noted(), MixUp(), SaveModelCallback()])
    photos = sorted(some_faces.glob("*/*.png"))[:2]
    assert abs(ours(export, photos) - theirs(export, photos)).max() < 1e-3
