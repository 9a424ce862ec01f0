"""Save each finished epoch to disk, so that a killed training can continue from it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import pickle
import random
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from fastai.callback.core import Callback, CancelEpochException
from fastai.torch_core import get_model, rank_distrib
from fastcore.foundation import L

from kezako.dataset.readiness import UNFINISHED
from kezako.errors import writing
from kezako.lock import locked
from kezako.recipe import Recipe
from kezako.train.dataset import Pictures
from kezako.train.weights import Weights

# The settings of a recipe that change training; a checkpoint made with other values is not used.
SETTINGS = ("task", "fit", "backbone", "image_size", "resize", "min_scale", "colour", "augment",
            "mult", "epochs", "learning_rate", "seed")  # fmt: skip


class Checkpoint(Callback):
    """Saves the state of training after each epoch, and resumes from what a killed training left.

    Model, optimizer, schedule and random number generators continue where they were, so the result
    is the same as without the interruption. It resumes only with the same recipe, pictures and
    initial weights; otherwise training starts again. The classifier is locked: no other process can
    train it until this one has exported its model, or ends. Raises `KezakoError` if another process
    has the lock.
    """

    order = 70  # after the Recorder has logged the epoch and EpochLines has printed it
    _stateattrs = ("_held",)  # fastai leaves these out of a pickle

    def __init__(self, recipe: Recipe, pictures: Pictures, weights: Weights):
        self.file = pictures.folder / UNFINISHED
        self._bundle = pictures.bundle  # locked against a second training
        self._held: ExitStack | None = None
        self._hold()
        self.key = _key(recipe, pictures, weights)
        self._found = self._read()
        # The result of `fit_head`, which then need not run again.
        self.head: dict[str, float] | None = self._found["head"] if self._found else None

    def before_fit(self) -> None:
        learn = self.learn
        # fastai fires the same events for lr_find, validation and get_preds.
        self.run = learn.n_epoch > 0 and hasattr(learn, "param_scheduler")
        if self.run:
            self._hold()
        if not self.run or not self._found:
            return
        get_model(learn.model).load_state_dict(self._found["model"])
        learn.opt.load_state_dict({"state": self._found["opt"], "hypers": L(self._found["hypers"])})
        learn.recorder.lrs, learn.recorder.losses = self._found["lrs"], self._found["losses"]
        learn.epoch_lines.go_on(self._found["rows"], self._found["seconds"])
        print(
            f"Going on after epoch {self._done} of {learn.n_epoch}: "
            "a training of these pictures was interrupted there.",
            flush=True,
        )

    def before_epoch(self) -> None:
        self._trained = False
        if self._found and self.learn.epoch < self._done:
            # The Recorder then logs this epoch as it did when it was trained.
            recorder, row = self.learn.recorder, self._found["values"][self.learn.epoch]
            recorder.log = L([self.learn.epoch, *row])
            recorder.smooth_loss.count = self._found["iters"][self.learn.epoch]
            recorder.smooth_loss.val = torch.tensor(self._found["smooth"])
            raise CancelEpochException

    def before_train(self) -> None:
        self._trained = True
        if self._found:
            _set_random(self._found["random"], self.learn.dls.train)
            self._found = None

    def after_fit(self) -> None:
        self._found = None

    def release(self) -> None:
        """Release the lock, once the bundle is written."""
        if self._held:
            self._held.close()
            self._held = None

    def _hold(self) -> None:
        """Lock the classifier until it is exported or this process ends.

        In distributed training, only rank 0 takes the lock. Raises `KezakoError` if another process
        holds it.
        """
        if self._held is None and not rank_distrib():
            self._bundle.parent.mkdir(parents=True, exist_ok=True)
            with ExitStack() as held:
                held.enter_context(locked(self._bundle))
                self._held = held.pop_all()

    def after_epoch(self) -> None:
        if self._trained and not rank_distrib():
            self._write()

    @property
    def _done(self) -> int:
        """Number of epochs in the checkpoint that was found."""
        return len(self._found["values"]) if self._found else 0

    def _write(self) -> None:
        learn, recorder = self.learn, self.learn.recorder
        optimizer = learn.opt.state_dict()
        state = {
            "key": self.key,
            # Key and done first: a waiting process reads them without torch.
            "done": len(recorder.values),
            "epochs": learn.n_epoch,
            "model": get_model(learn.model).state_dict(),
            "opt": optimizer["state"],
            "hypers": [_plain(group) for group in optimizer["hypers"]],
            "values": [[_plain(value) for value in row] for row in recorder.values],
            "lrs": [_plain(rate) for rate in recorder.lrs],
            "losses": [float(loss) for loss in recorder.losses],
            "iters": list(recorder.iters),
            "smooth": float(recorder.smooth_loss.val),
            "rows": list(learn.epoch_lines.rows),
            "seconds": list(learn.epoch_lines.seconds),
            "head": self.head,
            "random": _random(learn.dls.train),
        }
        staged = self.file.with_suffix(".part")
        try:
            with writing(self.file.parent):
                torch.save(state, staged)
            os.replace(staged, self.file)
        finally:
            staged.unlink(missing_ok=True)  # if the disk is full, an incomplete file must not stay

    def _read(self) -> dict[str, Any] | None:
        try:
            # weights_only: a checkpoint is data, and no code in it may run.
            found = torch.load(self.file, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
            return None  # missing, or truncated by a full disk
        return found if isinstance(found, dict) and found.get("key") == self.key else None


def _key(recipe: Recipe, pictures: Pictures, weights: Weights) -> str:
    """A checksum of everything that a training depends on."""
    start = hashlib.sha256()
    for name, tensor in sorted((weights.state or {}).items()):
        start.update(name.encode() + tensor.contiguous().numpy().tobytes())
    known = {
        "recipe": {name: getattr(recipe, name) for name in SETTINGS} | {"labels": recipe.labels},
        "pictures": sorted(
            (str(row.file), str(row.sha256), str(row.split)) for row in pictures.rows
        ),
        "weights": start.hexdigest(),
        "libraries": [importlib.metadata.version(name) for name in ("fastai", "torch")],
    }
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """NumPy scalars as Python numbers, which `weights_only` accepts."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def _random(loader: Any) -> dict[str, Any]:
    """The state of every random number generator of the training, without NumPy arrays."""
    of_numpy = dict(np.random.get_state(legacy=False))
    of_numpy["state"] = {**of_numpy["state"], "key": of_numpy["state"]["key"].tolist()}
    return {
        "python": random.getstate(),
        "numpy": of_numpy,
        "torch": torch.get_rng_state(),
        "loader": _rng(loader).getstate(),
    }


def _set_random(state: dict[str, Any], loader: Any) -> None:
    random.setstate(state["python"])
    of_numpy = state["numpy"]
    key = np.array(of_numpy["state"]["key"], dtype=np.uint32)
    np.random.set_state({**of_numpy, "state": {**of_numpy["state"], "key": key}})
    torch.set_rng_state(state["torch"])
    _rng(loader).setstate(state["loader"])


def _rng(loader: Any) -> random.Random:
    """The generator that shuffles; in distributed training the loader is wrapped."""
    return getattr(loader, "dl", loader).rng
