"""An outcome as a row: path, label, whether it is known, a probability a label, a problem."""

from __future__ import annotations

from kezako.model.bundle import Card
from kezako.names import as_shown
from kezako.worker.protocol import Outcome, problem

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run begins so


def columns(card: Card) -> list[str]:
    """The names of the columns; where several classes can be named, `labels` has them all."""
    named = ["label", "labels"] if card.task == "multi" else ["label"]
    return ["path", *named, "known", *(column_of(label) for label in card.labels), "problem"]


def column_of(label: str) -> str:
    """The column of a label's probability; the prefix keeps it apart from the others."""
    return f"p_{label}"


def cells(card: Card, path: str, outcome: Outcome) -> list[str]:
    """The row of one picture as text, in the order of `columns`."""
    named = 2 if card.task == "multi" else 1
    if sentence := problem(outcome):
        return [path, *[""] * (named + 1 + len(card.labels)), sentence]
    labels = [outcome["label"] or "", "; ".join(outcome["labels"])][:named]
    probabilities = [f"{outcome['probabilities'][label]:.6f}" for label in card.labels]
    return [path, *labels, "true" if outcome["known"] else "false", *probabilities, ""]


def line(path: str, outcome: Outcome) -> str:
    """The same for people, on one line of a terminal."""
    said = problem(outcome) or f"{outcome['sentence']} {_best(outcome)}".rstrip()
    return as_shown(f"{path}: {said}")


def harmless(cell: str) -> str:
    """Names come from strangers: one that begins a formula is made text."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _best(outcome: Outcome) -> str:
    label = outcome["label"]
    return f"({100 * outcome['probabilities'][label]:.0f} %)" if label else ""
