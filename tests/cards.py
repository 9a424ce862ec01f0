"""Cards with every figure that an export measures, of answers drawn at random."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from kezako.export import evaluation, metrics
from kezako.export.calibration import fit_temperature
from kezako.export.crossfit import fit_limit, fit_thresholds, unseen_answers
from kezako.model.bundle import Card, Preprocessing
from kezako.model.decision import probabilities

# Of an extreme over some pictures there is no interval, and of what was said there is none.
WITHOUT = {"greatest_difference", "said"}
LABELS = ("black", "grizzly", "teddy")


def drawn(
    pictures: int = 238,
    multi: bool = False,
    apart: float = 4.0,  # by which the right class's logit lies above; with 20 none is wrong
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Logits (N, 3) and what is true, (N,) or (N, 3)."""
    draw = np.random.default_rng(seed)
    shown = np.eye(3, dtype=np.int64)[draw.permutation(pictures) % 3]
    if multi:
        shown |= draw.random(shown.shape) < 0.2
    logits = 1.5 * draw.normal(size=shown.shape) + apart * (shown - 0.5 if multi else shown)
    return logits, shown if multi else shown.argmax(axis=1)


def a_measured_card(
    pictures: int = 238, multi: bool = False, apart: float = 4.0, others: int = 0, **changes: Any
) -> Card:
    """As `kezako train` would write it, of one int8 model; with the figures of one before it."""
    raw, targets = drawn(pictures, multi, apart)
    before, _ = drawn(pictures, multi, apart * 0.8)
    temperature = fit_temperature(raw, targets, multi)
    p = probabilities(raw / temperature, multi)
    chosen = fit_thresholds(p, targets) if multi else (0.5, 0.5, 0.5)
    thresholds = dict(zip(LABELS, map(float, chosen), strict=True))
    distances = np.random.default_rng(1).gamma(3, 0.05, pictures)
    something_else = np.random.default_rng(2).gamma(3, 0.15, others)
    card = Card(
        name="bears", title="Which bear?", prompt="", answer="{label}", labels=LABELS,
        task="multi" if multi else "single", preprocessing=Preprocessing(32, "squish"),
        precision="int8", temperature=temperature, thresholds=thresholds if multi else {},
        known=fit_limit(distances, something_else), libraries={"kezako": "0.1.0"},
        training={
            "weights": "Started from random weights.", "head": {"error": 0.1}, "epochs": [{"a": 1}],
            "pictures": {label: {"train": 300, "valid": pictures // 3} for label in LABELS},
            "recipe": {"fit": "full", "backbone": "resnet18", "epochs": 12, "image_size": 192,
                       "resize": "crop", "augment": True, "learning_rate": 0.003, "seed": 42},
            "finished": "2026-11-21T17:01:48+00:00",
        },
    )  # fmt: skip
    answers = unseen_answers(raw, targets, multi)
    last = unseen_answers(before, targets, multi)
    asked: Any = SimpleNamespace(card=card)
    found = {
        "validation": metrics.validation(answers, LABELS),
        "calibration": evaluation.calibration(raw, targets, answers),
        "none_of_these": evaluation.none_of_these(asked, distances, [], something_else),
        "agreement": evaluation.agreement(p, p + 0.001, card)
        | evaluation.precision(card, evaluation.compare(raw, raw, targets, multi)),
        "previous": evaluation.beside(last, answers, LABELS)
        | {
            "error_on_its_own_card": 0.08,
            "error_on_its_own_card_interval": [0.05, 0.12],
            "pictures_on_its_own_card": 237,
            "finished": "then",
        },
    }
    values = {**vars(card), "figures": evaluation.rounded(found), **changes}
    return Card(**values)


def check_every_figure(card: Card) -> None:
    """Each share and each mean has its interval beside it, and lies in it."""
    held = 0

    def walk(found: Any, name: str) -> None:
        nonlocal held
        if isinstance(found, list):
            for each in found:
                walk(each, name)
        elif isinstance(found, dict):
            for key, value in found.items():
                alone = key.endswith("_interval") or key in WITHOUT or name == "error_by_class"
                if isinstance(value, float) and not alone:
                    low, high = found[f"{key}_interval"]
                    assert low - 1e-5 <= value <= high + 1e-5, (name, key)
                    held += 1
                elif not alone or key == "error_by_class":
                    walk(value, key)

    walk(card.figures, "")
    assert held >= 8
    by_class = card.figures["validation"]["error_by_class"]
    assert by_class == {
        label: found["error"] for label, found in card.figures["validation"]["classes"].items()
    }
