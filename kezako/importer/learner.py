"""Read a learner's records: its classes, its preprocessing, and its network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kezako.importer.allowlist import Refused, short
from kezako.importer.container import Export
from kezako.importer.records import Name, Record, as_list, attributes, path_of
from kezako.importer.root import learner_in
from kezako.importer.tensors import is_number, to_numbers, to_plain
from kezako.importer.transforms import Seen, read_steps
from kezako.recipe import Task

MAX_LABELS = 10_000
_MOST_NAMED = 20
_SINGLE = {"Categorize"}
_MULTI = {"MultiCategorize", "EncodedMultiCategorize", "OneHotEncode"}
_OTHER = {"RegressionSetup": "it predicts numbers", "PointScaler": "it finds points",
          "BBoxLabeler": "it finds boxes", "BBoxLabels": "it finds boxes",
          "AddMaskCodes": "it colours regions", "Numericalize": "it reads text"}  # fmt: skip


@dataclass(frozen=True)
class Wishes:
    """What the user specifies because the file does not say it."""

    labels: tuple[str, ...] = ()  # names for the classes, in the file's order
    size: int | None = None  # pixels a side
    resize: str | None = None
    skip: tuple[str, ...] = ()  # names of steps to leave out


@dataclass(frozen=True)
class Learnt:
    """The metadata of an export; its network is still a record."""

    labels: tuple[str, ...]
    task: Task
    seen: Seen
    thresholds: dict[str, float]
    architecture: str  # such as "resnet18"; "" if the file does not say
    model: Any
    notes: list[str] = field(default_factory=list)  # sentences for the maker
    doubts: list[str] = field(default_factory=list)  # what may change pictures, but is not run


def read_learner(export: Export, wishes: Wishes) -> Learnt:
    """The content of `export`. Raises `Refused` unless it is a fastai 2 image classifier."""
    held = attributes(learner_in(export.root))
    loaders = as_list(attributes(held.get("dls")).get("loaders"))
    if not loaders:
        raise Refused("The file holds a learner without its data loaders. Use learn.export().")
    valid = loaders[min(1, len(loaders) - 1)]  # the validation DataLoader
    loader = attributes(valid)
    inputs, target = _sides(loader)
    task, names = _classes(target, path_of(held.get("loss_func")))
    labels, notes = _labels(names, wishes.labels)
    seen = read_steps(inputs, loader, export, wishes.size, wishes.resize, wishes.skip)
    arch = held.get("arch")
    return Learnt(
        labels=labels,
        task=task,
        seen=seen,
        thresholds=_thresholds(held.get("loss_func"), task, labels, export),
        architecture=_architecture(arch),
        model=held.get("model"),
        notes=[*notes, *seen.notes],
        doubts=[*seen.doubts, *_own([valid, *as_list(held.get("cbs"))])],
    )


def _architecture(arch: Any) -> str:
    """Such as "resnet18"; networks of timm are stored as a string."""
    name = path_of(arch).rpartition(".")[2] if isinstance(arch, Name) else arch
    return short(name) if isinstance(name, str) else ""


def _own(things: list[Any]) -> list[str]:
    """The user-defined classes among `things`, which may do anything to pictures."""
    found = {path_of(thing) for thing in things if isinstance(thing, Record)}
    return sorted(short(path) for path in found if not path.startswith("fastai."))[:_MOST_NAMED]


def _sides(loader: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """The attributes of the pictures' TfmdLists, and the steps of the targets' one."""
    dataset = attributes(loader.get("dataset"))
    lists = [attributes(each) for each in as_list(dataset.get("tls"))]
    if len(lists) != 2 or dataset.get("n_inp", 1) not in (1, None):
        raise Refused(
            f"The learner takes or gives {len(lists)} things at once. Only one picture in and its "
            "classes out can be put on a page."
        )
    return lists[0], as_list(attributes(lists[1].get("tfms")).get("fs"))


def _classes(target: list[Any], loss: str) -> tuple[Task, list[Any]]:
    for step in reversed(target):
        kind = path_of(step).rpartition(".")[2]
        if kind in _OTHER:
            raise Refused(f"The learner is no classifier: {_OTHER[kind]}.")
    steps = {path_of(step).rpartition(".")[2]: step for step in target}
    task: Task = "multi" if _MULTI & set(steps) or "BCE" in loss else "single"
    for kind in (*_SINGLE, *_MULTI):
        vocab = attributes(steps.get(kind)).get("vocab")
        names = as_list(attributes(vocab).get("items", vocab)) or as_list(vocab)
        if names:
            return ("single" if kind in _SINGLE else "multi"), names
    return task, []


def _labels(names: list[Any], wished: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    if len(names) > MAX_LABELS:
        raise Refused(f"The file claims more than {MAX_LABELS} classes.")
    if wished and names and len(wished) != len(names):
        raise Refused(
            f"--labels gives {len(wished)} names, but there are {len(names)} classes: "
            f"{', '.join(_shown(name) for name in names[:20])}."
        )
    if wished:
        return tuple(wished), []
    found = [_label(name) for name in names]
    if not found:
        raise Refused(
            "The file does not name its classes. Give them in the order of the learner's vocab: "
            "--labels first,second"
        )
    if len(found) == 1:
        raise Refused(f"The file knows one class alone ({found[0]}), so it tells nothing apart.")
    if len(set(found)) < len(found):
        (twice, _) = Counter(found).most_common(1)[0]
        raise Refused(
            f"The file names two classes alike ({twice}). Give {len(found)} names in the order of "
            "the learner's vocab: --labels first,second"
        )
    notes = []
    if set(found) <= {"True", "False"}:
        notes.append(
            "Its classes are called False and True. To name them: --labels dog,cat (False first)."
        )
    return tuple(found), notes


def _label(value: Any) -> str:
    text = _text(value)
    if text is None or not 0 < len(text) <= 200:
        raise Refused(
            f"The file names a class by {_shown(value)}. Give the names of all classes in the "
            "order of the learner's vocab: --labels first,second"
        )
    return text


def _text(value: Any) -> str | None:
    """A class's name as printable text; None if it is not text or a number."""
    plain = to_plain(value)
    if isinstance(plain, bytes):
        plain = plain[:1000].decode("utf-8", "replace")
    if isinstance(plain, str) or (isinstance(plain, int | float) and is_number(plain)):
        return "".join(c if c.isprintable() else " " for c in str(plain)[:1000]).strip()
    return None


def _shown(value: Any) -> str:
    text = _text(value)
    return f"a {short(path_of(value))}" if text is None else (short(text) or "an empty text")


def _thresholds(loss: Any, task: Task, labels: tuple[str, ...], export: Export) -> dict[str, float]:
    given = to_numbers(attributes(loss).get("thresh"), export)
    if task == "single" or not given or not all(0 < each < 1 for each in given):
        return {}
    if len(given) == 1:  # one for all, as in fastai's own loss
        given *= len(labels)
    if len(given) != len(labels) or set(given) == {0.5}:
        return {}
    return {label: round(each, 4) for label, each in zip(labels, given, strict=True)}
