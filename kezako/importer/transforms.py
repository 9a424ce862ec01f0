"""Translate fastai's transforms of validation pictures to the page's preprocessing.

The page resizes and crops a picture with the methods of `kezako.model.resize` and normalises it.
What fastai does to whole batches after that (`aug_transforms(size=...)`) becomes the first layer
of the network: see `backbone`.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from kezako.importer.allowlist import Refused, short
from kezako.importer.container import Export
from kezako.importer.opening import called, read_opening, wrapped
from kezako.importer.records import Name, Record, as_list, attributes, path_of
from kezako.importer.tensors import is_number, to_numbers, to_plain
from kezako.model.card import MOST_PIXELS, MOST_WAYS, Way
from kezako.recipe import Resize

_BILINEAR = 2  # PIL.Image.BILINEAR
_EXTRA = 0.14  # RandomResizedCrop's default `val_xtra`, cut off around a validation picture
_PADDED: dict[str, Way] = {"reflection": "pad", "zeros": "pad-zeros", "border": "pad-border"}
_CUT: dict[str, Way] = {"zeros": "center-crop", "border": "center-crop-border",
                        "reflection": "center-crop-reflection"}  # fmt: skip
_MOST_STEPS = 100  # in a pipeline; each may cost a second
# fastai's steps that leave a validation picture unchanged.
_TRAINING = {"FlipItem", "DihedralItem", "Brightness", "Contrast", "Saturation", "Hue", "HSVTfm",
             "RandomErasing", "LightingTfm", "SpaceTfm"}  # fmt: skip
_AFFINE = {"AffineCoordTfm", "Flip", "Dihedral", "Rotate", "Zoom", "Warp", "DeterministicFlip",
           "DeterministicDihedral"}  # fmt: skip
_NOTHING = {"ToTensor", "Cuda", "noop", "noops"}
# fastai's steps that change validation pictures, too, and are not supported here.
_EVERY = {"RatioResize", "OldRandomCrop"}
# Methods of a DataLoader that can change its pictures, besides its pipelines.
_LOADERS_OWN = ("before_iter", "create_item", "create_batch", "create_batches", "retain",
                "do_batch", "after_iter")  # fmt: skip
_RANGE = range(32, 1025)  # pixels a side that a bundle can have


@dataclass(frozen=True)
class Shrink:
    """Resizing of a whole batch to a smaller size, as a linear map of rows and columns."""

    size: int  # pixels a side afterwards
    part: float = 1.0  # share of each side that is center-cropped before
    mode: str = "bilinear"
    pad_mode: str = "reflection"
    align_corners: bool | None = True


@dataclass(frozen=True)
class Seen:
    """The preprocessing of the network."""

    size: int  # pixels a side of the page's output
    resize: Way  # the last step
    mode: str  # "RGB" or "L"
    mean: tuple[float, ...]  # three; of pixels from 0 to 1
    std: tuple[float, ...]
    # Steps before the last one, each with its pixels a side.
    before: tuple[tuple[Way, int], ...] = ()
    shrinks: tuple[Shrink, ...] = ()
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)  # functions whose effect is unknown


def read_steps(
    inputs: dict[str, Any],  # the attributes of the picture's TfmdLists
    loader: dict[str, Any],  # the attributes of the validation DataLoader
    export: Export,
    size: int | None,  # from the user, if the file does not say it
    resize: str | None,
    skip: Sequence[str],
) -> Seen:
    """The steps of a validation picture. Raises `Refused`, naming an unsupported step."""
    reader = _Reader(export, skip)
    opening = read_opening(inputs, reader.skip)
    reader.leave_out(opening.doubts)
    for step in opening.after:
        reader.other(step)
    for step in _pipeline(loader.get("after_item")):
        reader.item_step(step)
    for step in _pipeline(loader.get("before_batch")):
        reader.other(step)
    for key in _LOADERS_OWN:
        if isinstance(loader.get(key), Name | Record):
            reader.other(loader[key])
    if not reader.ways:
        reader.ways.append(_wished(size, resize))
        reader.doubts.append("--size and --resize")
    elif size or resize:
        reader.notes.append("--size and --resize are left aside: the file says them itself.")
    for step in _pipeline(loader.get("after_batch")):
        reader.batch_step(step)
    if not reader.scaled:
        raise Refused("The file's pictures are not scaled to 0 to 1 (IntToFloatTensor is missing).")
    *before, (last, side) = reader.ways
    if side not in _RANGE:
        raise Refused(
            f"The network sees pictures of {side} pixels a side; from {_RANGE.start} to "
            f"{_RANGE.stop - 1} can be put on a page."
        )
    return Seen(
        side, last, opening.mode, reader.mean, reader.std, tuple(before), tuple(reader.shrinks),
        reader.notes, reader.doubts,
    )  # fmt: skip


def _pipeline(value: Any) -> list[Any]:
    steps = as_list(attributes(value).get("fs", value))
    if len(steps) > _MOST_STEPS:
        raise Refused("The file is refused: it changes pictures by more steps than any has.")
    return steps


def _wished(size: int | None, resize: str | None) -> tuple[Way, int]:
    if size is None or resize is None:
        raise Refused(
            "The file does not say how pictures are resized, since all of its training pictures "
            "had the same size. Give that size: --size 224 --resize squish"
        )
    if resize not in get_args(Resize) or size not in _RANGE:
        raise Refused(
            f"--size is to be from {_RANGE.start} to {_RANGE.stop - 1}, and --resize one of "
            f"{', '.join(get_args(Resize))}."
        )
    return resize, size  # type: ignore[return-value]


class _Reader:
    def __init__(self, export: Export, skip: Sequence[str]):
        self._export, self.skip = export, set(skip)
        self.ways: list[tuple[Way, int]] = []
        self.mean: tuple[float, ...] = (0.0, 0.0, 0.0)
        self.std: tuple[float, ...] = (1.0, 1.0, 1.0)
        self.scaled = False
        self.shrinks: list[Shrink] = []
        self.notes: list[str] = []
        self.doubts: list[str] = []

    def leave_out(self, names: list[str]) -> None:
        """Note functions that are left out: because of --skip, or because they may do nothing."""
        for name in names:
            self.doubts.append(short(name))
            if name in self.skip:
                self.notes.append(f"The step {short(name)} is left out, as --skip says.")
            else:
                self.notes.append(
                    f"Its pictures are found by a function of its maker's own ({short(name)}), "
                    "which is not run. If that changes pictures, the page's answers differ."
                )

    def item_step(self, step: Any) -> None:
        """A step of one picture, before it becomes a tensor."""
        kind, held = path_of(step), attributes(step)
        family, _, name = kind.rpartition(".")
        if family != "fastai.vision.augment" or _only_training(step):
            self.other(step)
        elif name == "Resize":
            self._add(step, self._method(held))
        elif name == "RandomResizedCrop":
            extra = held.get("val_xtra", _EXTRA)
            if not is_number(extra) or abs(extra - _EXTRA) > 1e-9:
                raise self._unfit(name, "its val_xtra is not 0.14")
            self._add(step, "random-crop")
        elif name in ("CropPad", "RandomCrop"):
            self._add(step, self._padding(name, _CUT, held.get("pad_mode", "zeros")))
        else:
            self.other(step)

    def _method(self, held: dict[str, Any]) -> Way:
        method = held.get("method", "crop")
        if method == "pad":
            return self._padding("Resize", _PADDED, held.get("pad_mode", "reflection"))
        if method == "crop":
            return "crop"
        if method == "squish":
            return "squish"
        raise self._unfit("Resize", f"its method is {_shown(method)}")

    def _padding(self, name: str, ways: dict[str, Way], mode: Any) -> Way:
        if not isinstance(mode, str) or mode not in ways:
            raise self._unfit(name, f"it pads with {_shown(mode)}")
        return ways[mode]

    def _add(self, step: Any, way: Way) -> None:
        name, held = path_of(step).rpartition(".")[2], attributes(step)
        resamples = to_plain(held.get("resamples", (_BILINEAR, 0)))
        if not isinstance(resamples, tuple) or resamples[:1] != (_BILINEAR,):
            raise self._unfit(name, "it resamples otherwise than bilinearly")
        if len(self.ways) == MOST_WAYS:
            raise self._unfit(name, f"more than {MOST_WAYS} steps resize or cut")
        self.ways.append((way, self._side(name, held.get("size"))))

    def batch_step(self, step: Any) -> None:
        """A step of a whole batch."""
        kind, held = path_of(step), attributes(step)
        family, _, name = kind.rpartition(".")
        if _only_training(step) and name not in _AFFINE:  # their split_idx is that of the last call
            return
        if kind == "fastai.data.transforms.IntToFloatTensor":
            if held.get("div", 255.0) != 255:
                raise self._unfit(name, "it divides by another number than 255")
            self.scaled = True
        elif kind == "fastai.data.transforms.Normalize":
            self.mean, self.std = (self._three(name, held.get(key)) for key in ("mean", "std"))
            if min(abs(value) for value in self.std) < 1e-6:
                raise self._unfit(name, "it divides by zero")
        elif family == "fastai.vision.augment" and name in _AFFINE:
            if held.get("size") is not None:
                self._shrink(name, held, 1.0, held.get("align_corners"))
        elif kind == "fastai.vision.augment.RandomResizedCropGPU":
            self._crop(name, held)
        else:
            self.other(step)

    def _crop(self, name: str, held: dict[str, Any]) -> None:
        ratio = to_numbers(held.get("ratio", (3 / 4, 4 / 3)), self._export) or []
        low, high = ratio if len(ratio) == 2 else (0, 0)
        part = held.get("valid_scale", 1.0)
        if not low <= 1 <= high or not is_number(part) or not 0.05 <= part <= 1:
            raise self._unfit(name, "it cuts validation pictures in an unusual way")
        self._shrink(name, held, float(part), True)

    def _shrink(self, name: str, held: dict[str, Any], part: float, align: Any) -> None:
        mode = held.get("mode", "bilinear")
        pad_mode = held.get("pad_mode", "reflection")
        if mode not in ("bilinear", "nearest") or align not in (True, False, None):
            raise self._unfit(name, "it resamples in an unusual way")
        if pad_mode not in ("reflection", "border", "zeros"):
            raise self._unfit(name, "it pads in an unusual way")
        size = self._side(name, held.get("size"))
        if len(self.shrinks) == MOST_WAYS:
            raise self._unfit(name, f"more than {MOST_WAYS} steps make pictures smaller")
        self.shrinks.append(Shrink(size, part, mode, pad_mode, align))

    def other(self, step: Any) -> None:
        """Skip what leaves a validation picture unchanged; raise `Refused` for all else."""
        family, _, name = path_of(step).rpartition(".")
        shown = called(step)
        if _only_training(step) or _does_nothing(step):
            return
        if shown in self.skip or name in self.skip:
            self.notes.append(f"The step {short(shown)} is left out, as --skip says.")
            self.doubts.append(short(shown))
        elif family.startswith("fastai.") and name in _EVERY:
            raise self._unfit(name, "it changes every picture")
        else:
            raise Refused(
                f"The file changes pictures by a step that the page does not have: {short(shown)}. "
                f"If it changes training pictures only, say so: --skip {shlex.quote(short(shown))}"
            )

    def _side(self, name: str, value: Any) -> int:
        sides = to_plain(value)
        sides = sides if isinstance(sides, tuple) else (sides,)
        if not sides or any(type(side) is not int for side in sides) or len(set(sides)) != 1:
            raise self._unfit(name, "its pictures are not square")
        if not 1 <= sides[0] <= MOST_PIXELS:
            raise self._unfit(name, "its pictures have too many pixels a side, or none")
        return int(sides[0])

    def _three(self, name: str, value: Any) -> tuple[float, ...]:
        numbers = to_numbers(value, self._export) or []
        if len(numbers) not in (1, 3) or not all(abs(number) < 1e6 for number in numbers):
            raise self._unfit(name, "its mean or std is not that of grey or of three colours")
        return tuple(numbers * (3 // len(numbers)))

    def _unfit(self, name: str, why: str) -> Refused:
        return Refused(
            f"The file's step {name} cannot be done by the page: {why}. Export a learner with "
            "Resize or RandomResizedCrop to a square, as fastai makes them."
        )


def _only_training(step: Any) -> bool:
    return attributes(step).get("split_idx") == 0


def _does_nothing(step: Any) -> bool:
    """Whether a step is one of fastai's that leave a validation picture unchanged."""
    function = wrapped(step)
    family, _, name = path_of(step if function is None else function).rpartition(".")
    if not f"{family}.".startswith(("fastai.", "fastcore.", "fasttransform.")):
        return False
    # Without its own split_idx, such a step has its class's: training pictures only.
    return name in _NOTHING or (name in _TRAINING and "split_idx" not in attributes(step))


def _shown(value: Any) -> str:
    return f'"{short(value)}"' if isinstance(value, str) else f"a {short(path_of(value))}"
