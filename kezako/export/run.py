"""Export a trained learner to `models/NAME/`, with the figures of its card."""

from __future__ import annotations

import copy
import importlib.metadata
import platform
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from kezako import __version__
from kezako.dataset.readiness import forget_checkpoint
from kezako.errors import writing
from kezako.export import evaluation, examples, fastai_pickle, metrics, onnx
from kezako.export.calibration import fit_temperature
from kezako.export.card import words_in, write_cover, write_model_card
from kezako.export.crossfit import (
    NONE,
    Answers,
    Floats,
    fit_limit,
    fit_thresholds,
    unseen_answers,
    unseen_passes,
)
from kezako.lock import locked
from kezako.model.bundle import (
    EXPORT,
    HEAD,
    KNOWN,
    MODEL,
    Card,
    Example,
    Precision,
    Preprocessing,
    is_handed_over,
    may_hold_photos,
    new_bundle,
    write_card,
)
from kezako.model.card import EXAMPLES
from kezako.model.classifier import Classifier, Scores, prepare
from kezako.model.decision import Array, named, probabilities, thresholds_of
from kezako.model.ood import OutOfDistribution, unit
from kezako.recipe import Recipe
from kezako.train.dataset import Pictures
from kezako.train.weights import Weights
from kezako.workspace import Workspace

from fastai.learner import Learner  # isort: skip  (after kezako.train: see there)

NEIGHBOURS = 5  # for the distance; 1, 10 and 30 separate bears from other photos less well
BANK = 5000  # training pictures kept for the distance: 10 MB at most
CALIBRATION = 150  # pictures that set the activation ranges of int8
FP32_LAYERS = (1, 5)  # number of first convolutions left in fp32, tried in this order


def export(
    learn: Learner,
    recipe: Recipe,
    workspace: Workspace,
    pictures: Pictures,
    weights: Weights,
    photos: bool = True,  # False: no gathered picture goes into the bundle
) -> Card:
    """Write the bundle of `recipe`, whole or not at all, and return its card.

    Under `kezako train` it is left to that to put it in place, together with the report.
    """
    target = workspace.bundle(recipe.name)
    trained = _Trained(learn, recipe, pictures)
    with locked(target):
        with new_bundle(target) as folder, writing(folder):
            card = trained.write_model(folder)
            trained.export_learner(folder / EXPORT, card)
            card = replace(card, figures=trained.measured(card, folder, workspace))
            history = {"weights": weights.sentence, "origin": weights.origin, **trained.history()}
            card = replace(card, training=history, libraries=_libraries())
            shutil.rmtree(folder / EXAMPLES, ignore_errors=True)  # of a call before this one
            if photos and may_hold_photos():
                card = replace(card, examples=trained.write_examples(card, folder))
            write_cover(card, folder)
            write_model_card(card, folder)
            card = write_card(folder, card)
        if not is_handed_over(target):
            forget_checkpoint(workspace.folder(recipe.name))  # that training is over
    if checkpoint := getattr(learn, "checkpoint", None):
        checkpoint.release()
    return card


class _Trained:
    """A calibrated copy of the learner's model, and its validation pictures."""

    def __init__(self, learn: Learner, recipe: Recipe, pictures: Pictures):
        self.learn, self.recipe, self.pictures = learn, recipe, pictures
        self.multi = recipe.task == "multi"
        self.labels = tuple(str(label) for label in learn.dls.vocab)
        self.preprocessing = Preprocessing(
            recipe.image_size, recipe.resize, mode="RGB" if recipe.colour else "L"
        )
        logits, targets = learn.get_preds(dl=learn.dls.valid, act=_as_it_is)
        self.raw = logits.double().numpy()  # (N, C), before the temperature
        self.targets = targets.long().numpy()  # (N,), or (N, C) for multi-label
        self.temperature = fit_temperature(self.raw, self.targets, self.multi)
        self.model = copy.deepcopy(learn.model).cpu().float().eval()
        _divide_logits(self.model, self.temperature)
        self.valid = [Path(path) for path in learn.dls.valid_ds.items]
        self.train = [Path(path) for path in learn.dls.train_ds.items]
        self.something_else: Floats = NONE  # distances (M,), if there are such pictures
        self.int8: evaluation.Comparison | None = None  # of the last int8 model that was tried

    def export_learner(self, path: Path, card: Card) -> None:
        """Write `export.pkl` as stock fastai does, without what only this machine has."""
        plain = fastai_pickle.learner(self.learn, self.model, self.recipe.backbone)
        named = naming(self.learn, thresholds_of(card)) if self.multi else nullcontext()
        with plain as learn, named:
            learn.path = Path()  # the export must not contain a path of this machine
            learn.export(path.absolute(), pickle_module=fastai_pickle)

    def write_model(self, folder: Path) -> Card:
        """Write `model.onnx`, in int8 if that keeps the answers, and its related files."""
        model, fp32 = folder / MODEL, folder / "fp32.onnx"
        onnx.write_fp32(self.model, self.preprocessing.size, fp32)
        onnx.write_head(fp32, self.preprocessing.size, folder / HEAD)
        fp32.replace(model)
        card = self._card("fp32")
        scores = exact = self._scores(card, folder, self.valid, "checking the model")
        model.replace(fp32)
        sample = np.random.default_rng(self.recipe.seed).permutation(len(self.train))
        ranges = [prepare(self.train[i], self.preprocessing) for i in sample[:CALIBRATION]]
        for fp32_layers in FP32_LAYERS:
            onnx.write_int8(fp32, ranges, model, fp32_layers)
            int8 = self._scores(self._card("int8"), folder, self.valid, "checking int8")
            self.int8 = evaluation.compare(
                self._raw(exact), self._raw(int8), self.targets, self.multi
            )
            if self.int8.keeps_the_answers:
                card, scores = self._card("int8"), int8
                break
        else:
            fp32.replace(model)
        fp32.unlink(missing_ok=True)
        return self._with_known(card, folder, sample, scores)

    def _raw(self, scores: Scores) -> Array:
        """Logits (N, C) of the written model before the temperature."""
        return scores.logits.astype(np.float64) * self.temperature

    def _with_known(
        self, card: Card, folder: Path, order: np.ndarray[Any, Any], scores: Scores
    ) -> Card:
        bank = [self.train[i] for i in order[:BANK]]
        features = self._scores(card, folder, bank, "remembering the pictures").features
        known = OutOfDistribution(unit(features), min(NEIGHBOURS, len(bank)))
        known.write(folder / KNOWN)
        known = OutOfDistribution.read(
            (folder / KNOWN).read_bytes()
        )  # rounded, as the page will have it
        self.logits = scores.logits.astype(np.float64)
        self.distances = known.distance(scores.features)
        others = self.pictures.something_else
        if others:
            scored = self._scores(card, folder, others, "looking at something else").features
            self.something_else = known.distance(scored)
        p = probabilities(self.logits, self.multi)
        chosen = fit_thresholds(p, self.targets) if self.multi else ()
        thresholds = dict(zip(self.labels, map(float, chosen), strict=self.multi))
        limit = fit_limit(self.distances, self.something_else)
        return replace(card, known=limit, thresholds=thresholds)

    def _scores(self, card: Card, folder: Path, paths: Sequence[Path], doing: str) -> Scores:
        """Scores of `paths` by the model in `folder`."""
        write_card(folder, replace(card, known=None))
        return evaluation.score(Classifier.open(folder), paths, doing)

    def _card(self, precision: Precision) -> Card:
        recipe = self.recipe
        return Card(
            name=recipe.name, **words_in(recipe), labels=self.labels, task=recipe.task,
            preprocessing=self.preprocessing,
            precision=precision, temperature=self.temperature, thresholds={}, known=None,
        )  # fmt: skip

    def measured(self, card: Card, folder: Path, workspace: Workspace) -> dict[str, Any]:
        """The card's figures of the model in `folder`."""
        write_card(folder, card)
        other = evaluation.files_in(workspace.folder(card.name) / "other")
        raw = self.logits * self.temperature
        answers = unseen_answers(raw, self.targets, self.multi)
        found = {
            "validation": metrics.validation(answers, self.labels),
            "calibration": evaluation.calibration(raw, self.targets, answers),
            "none_of_these": evaluation.none_of_these(
                Classifier.open(folder),
                self.distances,
                [*other, *self.pictures.something_else_test],
                self.something_else,
            ),
            "agreement": self._agreement(card),
        }
        last = workspace.bundle(card.name)
        if self.pictures.test:
            found["test"] = self._tested(card, folder)
        if before := evaluation.previous(last, card.labels, self.valid, self.targets, answers):
            found["previous"] = before
        return evaluation.rounded(found)

    def _tested(self, card: Card, folder: Path) -> dict[str, Any]:
        """Figures on the test pictures, which neither training nor any setting has seen."""
        paths = self.pictures.test
        scores = evaluation.score(Classifier.open(folder), paths, "measuring the test pictures")
        names = [self.recipe.labels_of(path.parent.name) for path in paths]
        shown = np.array([[label in these for label in self.labels] for these in names])  # (N, C)
        p = probabilities(scores.logits, self.multi)
        said = named(p, self.multi, thresholds_of(card))
        return metrics.validation(Answers(p, said, shown, self.multi), self.labels)

    def _agreement(self, card: Card) -> dict[str, Any]:
        every = max(1, len(self.valid) // 50)
        plain = fastai_pickle.learner(self.learn, self.model, self.recipe.backbone)
        with plain as learn, learn.no_bar(), learn.no_logging():
            loader = learn.dls.test_dl(self.valid[::every], num_workers=0)
            theirs = learn.get_preds(dl=loader)[0].numpy()
        ours = probabilities(self.logits[::every], self.multi)
        return evaluation.agreement(theirs, ours, card) | evaluation.precision(card, self.int8)

    def write_examples(self, card: Card, folder: Path) -> tuple[Example, ...]:
        """Write `examples/` of the validation pictures; may be none."""
        write_card(folder, card)
        rows = dict(zip(self.pictures.paths, self.pictures.rows, strict=True))
        found = examples.candidates(
            unseen_answers(self.logits * self.temperature, self.targets, self.multi),
            unseen_passes(self.distances, self.something_else), self.labels,
            self.valid, [*map(rows.get, self.valid)],
        )  # fmt: skip
        return examples.write_examples(folder, found, Classifier.open(folder).predict)

    def history(self) -> dict[str, Any]:
        recipe = self.recipe
        settings = ("fit", "backbone", "image_size", "resize", "min_scale", "colour", "augment",
                    "mult", "epochs", "learning_rate", "validation_share", "seed")  # fmt: skip
        checkpoint = getattr(self.learn, "checkpoint", None)
        lines = getattr(self.learn, "epoch_lines", None)
        return {
            "pictures": {
                folder: {"train": train, "valid": valid}
                for folder, (train, valid) in self.pictures.counts().items()
            },
            "recipe": {name: getattr(recipe, name) for name in settings},
            "head": evaluation.rounded(checkpoint.head) if checkpoint else None,
            "epochs": evaluation.rounded(lines.rows) if lines else [],
            "notes": self.pictures.notes,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }


@contextmanager
def naming(learn: Learner, thresholds: Array) -> Iterator[None]:
    """Set the thresholds (C,) of fastai's own multi-label decoding inside the block."""
    before = learn.loss_func.thresh
    learn.loss_func.thresh = torch.tensor(thresholds, dtype=torch.float32)
    try:
        yield
    finally:
        learn.loss_func.thresh = before


def _divide_logits(model: nn.Module, temperature: float) -> None:
    """Fold the temperature into the last layer, so that all users of the model get it."""
    last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    last.weight.data /= temperature
    if last.bias is not None:
        last.bias.data /= temperature


def _as_it_is(activations: Any) -> Any:
    return activations


def _libraries() -> dict[str, str]:
    names = ("fastai", "torch", "torchvision", "onnxruntime", "pillow", "numpy")
    return {
        "kezako": __version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in names},
    }
