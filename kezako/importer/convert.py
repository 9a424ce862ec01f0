"""Convert one export to the files of a network and its metadata; runs in a subprocess.

Only ONNX and JSON pass from it to the main process (see `sandbox`), never a pickle.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kezako.importer.allowlist import Refused

if TYPE_CHECKING:
    from torch import nn

    from kezako.importer.container import Export
    from kezako.importer.learner import Learnt
    from kezako.model.runtime import Floats

FOUND = "found.json"
SECONDS = 900  # CPU time in all; a resnet50 takes a twentieth
DIFFERENCE = 1e-3  # of probabilities, that the ONNX file may differ by from the network


@dataclass(frozen=True)
class Limits:
    """Resource limits of the subprocess."""

    seconds: int  # CPU time
    memory: int  # bytes of address space
    factor: int  # plus so many times the file's size


READING = Limits(60, 2 * 2**30, 4)
CONVERTING = Limits(SECONDS, 6 * 2**30, 8)  # enough for the largest common network


@dataclass(frozen=True)
class Order:
    """The task of the subprocess."""

    path: str  # the export
    folder: str  # where it writes model.onnx, head.onnx and found.json
    temperature: float = 1.0
    labels: tuple[str, ...] = ()
    size: int | None = None
    resize: str | None = None
    skip: tuple[str, ...] = ()


def main() -> None:
    """Carry out the `Order` on stdin; the result, or why it failed, is written to found.json."""
    order = Order(**json.load(sys.stdin))
    folder, path = Path(order.folder), Path(order.path)
    size = path.stat().st_size if path.is_file() else 0
    try:
        _confine(READING, size)
        export = read(order)
        _confine(CONVERTING, size)
        found = write(order, export)
    except Refused as error:
        found = {"refused": str(error)}
    except MemoryError:
        found = {"refused": "The file asks for more memory than a classifier can need."}
    except RecursionError:
        found = {"refused": "The file is refused: its parts lie within each other too deeply."}
    except ImportError as error:
        found = {"missing": error.name or str(error)}
    except Exception as error:  # for example, a network that its own library cannot run
        what = str(error).strip().splitlines()[:1] or [""]
        found = {
            "refused": "The file cannot be turned into a page's model "
            f"({type(error).__name__}: {what[0][:200]})."
        }
    (folder / FOUND).write_text(json.dumps(found), encoding="utf-8")


def convert(order: Order) -> dict[str, Any]:
    """Write the network of `order`; returns its metadata. Raises `Refused`."""
    return write(order, read(order))


def read(order: Order) -> Export:
    """The export of `order`; without torch, whose import takes seconds. Raises `Refused`."""
    from kezako.importer.container import open_export
    from kezako.importer.root import learner_in

    export = open_export(Path(order.path))
    learner_in(export.root)
    return export


def write(order: Order, export: Export) -> dict[str, Any]:
    """Write the network of `export`; returns its metadata. Raises `Refused`."""
    learnt, model = network(export, order)
    from kezako.importer import backbone
    from kezako.importer.effort import check_effort

    seen = learnt.seen
    preprocessing = {
        "size": seen.size, "resize": seen.resize, "mode": seen.mode,
        "mean": seen.mean, "std": seen.std, "before": seen.before,
    }  # fmt: skip
    whole = backbone.prepared(model, seen.size, seen.shrinks)
    check_effort(whole, seen.size)
    noise = _noise(preprocessing)
    said = _said(whole, noise, len(learnt.labels))
    _write(whole, seen.size, Path(order.folder))
    difference = _difference(said, noise, learnt.task == "multi", Path(order.folder))
    return {
        "labels": learnt.labels,
        "task": learnt.task,
        "preprocessing": preprocessing,
        "thresholds": learnt.thresholds,
        "architecture": learnt.architecture,
        "notes": learnt.notes,
        "left_out": export.foreign,
        "doubts": learnt.doubts,
        "difference": difference,
    }


def network(export: Export, order: Order) -> tuple[Learnt, nn.Sequential]:
    """An export's metadata, and its network as body and head. Raises `Refused`."""
    from kezako.importer.learner import Wishes, read_learner

    learnt = read_learner(export, Wishes(order.labels, order.size, order.resize, order.skip))
    # Lazy: what can be refused without torch was refused above.
    from kezako.importer import backbone
    from kezako.importer.layers import build

    model = backbone.body_and_head(build(learnt.model, export))
    if order.temperature != 1:
        model[1].append(backbone.Divided(order.temperature))
    return learnt, model


def _write(whole: nn.Sequential, size: int, folder: Path) -> None:
    """Write model.onnx, and head.onnx if the head pools as `why` needs it."""
    from kezako.export import onnx
    from kezako.importer.backbone import tells_why
    from kezako.model.bundle import HEAD, MODEL

    onnx.write_fp32(whole, size, folder / MODEL)
    if tells_why(whole):
        onnx.write_head(folder / MODEL, size, folder / HEAD)


def _noise(preprocessing: dict[str, Any]) -> Floats:
    """Two pictures of noise, preprocessed as by the page: (2, 3, S, S)."""
    noise = np.random.default_rng(0).uniform(
        0, 1, (2, 3, preprocessing["size"], preprocessing["size"])
    )
    mean, std = (np.reshape(preprocessing[key], (1, 3, 1, 1)) for key in ("mean", "std"))
    return ((noise - mean) / std).astype(np.float32)


def _said(network: nn.Sequential, pictures: Floats, classes: int) -> Floats:
    """The logits (N, C) of the network. Raises `Refused` if their number is not `classes`."""
    import torch

    with torch.no_grad():
        logits: Floats = network(torch.from_numpy(pictures)).numpy()
    if logits.shape != (len(pictures), classes):
        raise Refused(
            f"The network answers with {logits.shape[-1]} numbers, but there are {classes} classes."
        )
    return logits


def _difference(said: Floats, pictures: Floats, multi: bool, folder: Path) -> float:
    """The largest difference of probabilities between file and network. Raises `Refused`."""
    from kezako.model.bundle import MODEL
    from kezako.model.decision import probabilities
    from kezako.model.runtime import Model

    written = Model((folder / MODEL).read_bytes(), threads=1)
    ours = written.run(["logits"], {"pictures": pictures})[0]
    first, second = (probabilities(logits, multi) for logits in (said, ours))
    difference = float(np.abs(first - second).max())
    if not difference < DIFFERENCE:
        raise Refused(
            f"The written model differs from the file's by {difference:.4f}, so it is not kept."
        )
    return difference


def _confine(limits: Limits, size: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the limits on sizes still apply
        return
    memory = limits.memory + limits.factor * size
    values = {"RLIMIT_AS": memory, "RLIMIT_CPU": limits.seconds, "RLIMIT_CORE": 0}
    for name, value in values.items():
        kind = getattr(resource, name)
        _, hard = resource.getrlimit(kind)
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (wanted, hard))
        except (ValueError, OSError):  # macOS has RLIMIT_AS but refuses to set it
            continue
