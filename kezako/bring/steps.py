"""fastai's transforms of a validation picture, as records -> what the page has to do to one.

The page resizes a picture by one of four ways and normalises it. What fastai does to whole batches
after that (`aug_transforms(size=...)`) becomes a first layer of the network: see `shrink`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from kezako.bring.container import Export
from kezako.bring.names import Refused, short
from kezako.bring.records import Name, Record, as_list, attributes, path_of
from kezako.bring.tensors import to_numbers, to_plain
from kezako.recipe import Resize

_METHODS: dict[Any, Resize] = {"crop": "crop", "squish": "squish", "pad": "pad"}
_BILINEAR = 2  # PIL's number
_EXTRA = 0.14  # RandomResizedCrop's default share that is cut off around a validation picture
_MODES = {"PILImage": "RGB", "PILImageBW": "L", "PILBase": "RGB"}
# Steps of fastai's that leave a validation picture as it is.
_TRAINING = {"FlipItem", "DihedralItem", "Brightness", "Contrast", "Saturation", "Hue", "HSVTfm",
             "RandomErasing", "LightingTfm", "SpaceTfm"}  # fmt: skip
_AFFINE = {"AffineCoordTfm", "Flip", "Dihedral", "Rotate", "Zoom", "Warp", "DeterministicFlip",
           "DeterministicDihedral"}  # fmt: skip
_NOTHING = {"ToTensor", "Cuda", "noop", "noops"}
_RANGE = range(32, 1025)  # pixels a side that a bundle can have


@dataclass(frozen=True)
class Shrink:
    """A step that makes a whole batch of pictures smaller, as a linear map of their rows."""

    size: int  # pixels a side afterwards
    part: float = 1.0  # share of each side that is kept before, from the middle
    mode: str = "bilinear"
    pad_mode: str = "reflection"
    align_corners: bool | None = True


@dataclass(frozen=True)
class Seen:
    """How the network sees a picture."""

    size: int  # pixels a side that the page resizes to
    resize: Resize
    mode: str  # "RGB" or "L"
    mean: tuple[float, ...]  # three; of pixels from 0 to 1
    std: tuple[float, ...]
    shrinks: tuple[Shrink, ...] = ()
    notes: list[str] = field(default_factory=list)


def read_steps(
    inputs: dict[str, Any],  # the attributes of the picture's TfmdLists
    loader: dict[str, Any],  # the attributes of the validation DataLoader
    export: Export,
    size: int | None,  # what the maker gives where the file says nothing
    resize: str | None,
    skip: Sequence[str],
) -> Seen:
    """The steps of a validation picture. Raises `Refused`, naming the step that does not fit."""
    reader = _Reader(export, skip)
    mode = reader.opening(inputs)
    for step in _pipeline(loader.get("after_item")):
        reader.item_step(step)
    for step in _pipeline(loader.get("before_batch")):
        reader.other(step)
    if reader.size is None:
        reader.size, reader.resize = _wished(size, resize)
    elif size or resize:
        reader.notes.append("--size and --resize are left aside: the file says them itself.")
    for step in _pipeline(loader.get("after_batch")):
        reader.batch_step(step)
    if not reader.scaled:
        raise Refused("The file's pictures are not scaled to 0 to 1 (IntToFloatTensor is missing).")
    assert reader.resize
    return Seen(
        reader.size, reader.resize, mode, reader.mean, reader.std, tuple(reader.shrinks),
        reader.notes,
    )  # fmt: skip


def _pipeline(value: Any) -> list[Any]:
    return as_list(attributes(value).get("fs", value))


def _wished(size: int | None, resize: str | None) -> tuple[int, Resize]:
    if size is None or resize is None:
        raise Refused(
            "The file does not say how pictures are resized, since all of its training pictures "
            "had one size. Give it: --size 224 --resize squish (or crop, pad, random-crop)"
        )
    if resize not in get_args(Resize) or size not in _RANGE:
        raise Refused(
            f"--size is to be from {_RANGE.start} to {_RANGE.stop - 1}, and --resize one of "
            f"{', '.join(get_args(Resize))}."
        )
    return size, resize  # type: ignore[return-value]


class _Reader:
    def __init__(self, export: Export, skip: Sequence[str]):
        self._export, self._skip = export, set(skip)
        self.size: int | None = None
        self.resize: Resize | None = None
        self.mean: tuple[float, ...] = (0.0, 0.0, 0.0)
        self.std: tuple[float, ...] = (1.0, 1.0, 1.0)
        self.scaled = False
        self.shrinks: list[Shrink] = []
        self.notes: list[str] = []

    def opening(self, inputs: dict[str, Any]) -> str:
        """Whether pictures are opened in colour; refuses what else is done while opening."""
        steps = as_list(attributes(inputs.get("tfms")).get("fs"))
        opened = False
        for step in steps:
            opened = opened or _name(step).endswith(".create")
            if opened and not _name(step).endswith(".create"):
                self.other(step)
        types = as_list(inputs.get("types"))
        kinds = [path_of(kind).rpartition(".")[2] for kind in [*types[-1:], *_owners(steps)]]
        for kind in kinds:
            if kind in _MODES:
                return _MODES[kind]
        raise Refused(
            f"The learner does not look at pictures, but at {short(kinds[0] if kinds else '?')}. "
            "Only image classifiers can be put on a page."
        )

    def item_step(self, step: Any) -> None:
        kind = path_of(step)
        held = attributes(step)
        if kind == "fastai.vision.augment.Resize":
            self._take_size(step, self._method(held))
        elif kind == "fastai.vision.augment.RandomResizedCrop":
            if abs(float(held.get("val_xtra", _EXTRA)) - _EXTRA) > 1e-9:
                raise self._unfit("RandomResizedCrop", "its val_xtra is not 0.14")
            self._take_size(step, "random-crop")
        else:
            self.other(step)

    def _method(self, held: dict[str, Any]) -> Resize:
        method = held.get("method", "crop")
        if method not in _METHODS:
            raise self._unfit("Resize", f"its method is {short(str(method))}")
        if method == "pad" and held.get("pad_mode", "reflection") != "reflection":
            raise self._unfit(
                "Resize", f'it pads with "{short(str(held["pad_mode"]))}", the page by reflection'
            )
        return _METHODS[method]

    def _take_size(self, step: Any, resize: Resize) -> None:
        kind, held = path_of(step).rpartition(".")[2], attributes(step)
        if self.size is not None:
            raise self._unfit(kind, "it is the second step that resizes")
        resamples = to_plain(held.get("resamples", (_BILINEAR, 0)))
        if not isinstance(resamples, tuple) or to_plain(resamples[:1]) != (_BILINEAR,):
            raise self._unfit(kind, "it resamples otherwise than bilinearly")
        self.size, self.resize = self._side(kind, held.get("size")), resize

    def batch_step(self, step: Any) -> None:
        kind, held = path_of(step), attributes(step)
        family, _, name = kind.rpartition(".")
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
        low, high = to_numbers(held.get("ratio", (3 / 4, 4 / 3)), self._export) or (0, 0)
        part = held.get("valid_scale", 1.0)
        if not low <= 1 <= high or not isinstance(part, int | float) or not 0.05 <= part <= 1:
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
        self.shrinks.append(Shrink(size, part, mode, pad_mode, align))

    def other(self, step: Any) -> None:
        """Pass over what leaves a validation picture as it is; refuse all else by name."""
        kind = path_of(step)
        family, _, name = kind.rpartition(".")
        shown = _name(step)
        if shown in self._skip or name in self._skip:
            self.notes.append(f"The step {short(shown)} is left out, as --skip says.")
        elif not (
            (family.startswith("fastai") and name in _TRAINING | _NOTHING)
            or shown in _NOTHING
            or _only_training(step)
        ):
            raise Refused(
                f"The file changes pictures by a step that the page does not have: {short(shown)}. "
                f"If it changes training pictures only, say so: --skip {short(shown)}"
            )

    def _side(self, name: str, value: Any) -> int:
        sides = to_plain(value)
        sides = sides if isinstance(sides, tuple) else (sides,)
        if not sides or any(type(side) is not int for side in sides) or len(set(sides)) != 1:
            raise self._unfit(name, "its pictures are not square")
        if sides[0] not in _RANGE:
            raise self._unfit(name, f"{sides[0]} pixels a side are too few or too many")
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


def _name(step: Any) -> str:
    """What a step is called: its class, or the function that a plain Transform wraps."""
    held = attributes(step).get("_name")
    plain = path_of(step).rpartition(".")[2]
    return held if plain == "Transform" and isinstance(held, str) else plain


def _owners(steps: list[Any]) -> list[Name]:
    """The classes whose `create` opens a picture, where a pipeline does not say its types."""
    bound = [attributes(attributes(step).get("encodes")).get("_f") for step in steps]
    return [
        arg
        for method in bound
        if isinstance(method, Record)
        for arg in method.args
        if isinstance(arg, Name)
    ]
