"""Rows: path, label, known, one probability per label, problem."""

from __future__ import annotations

from kezako.model.bundle import Card
from kezako.names import as_shown
from kezako.worker.protocol import Outcome, problem

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # spreadsheets run cells that start with these


def columns(card: Card) -> list[str]:
    """The column names; for multi-label, `labels` has all named classes."""
    named = ["label", "labels"] if card.task == "multi" else ["label"]
    return ["path", *named, "known", *(column_of(label) for label in card.labels), "problem"]


def column_of(label: str) -> str:
    """The column of a label's probability; the prefix avoids clashes with other columns."""
    return f"p_{label}"


def cells(card: Card, path: str, outcome: Outcome) -> list[str]:
    """The row of one picture as strings, in the order of `columns`."""
    named = 2 if card.task == "multi" else 1
    if sentence := problem(outcome):
        return [path, *[""] * (named + 1 + len(card.labels)), sentence]
    labels = [outcome["label"] or "", "; ".join(outcome["labels"])][:named]
    probabilities = [f"{outcome['probabilities'][label]:.6f}" for label in card.labels]
    return [path, *labels, "true" if outcome["known"] else "false", *probabilities, ""]


def line(path: str, outcome: Outcome) -> str:
    """One line about a picture, for a terminal."""
    said = problem(outcome) or f"{outcome['sentence']} {_best(outcome)}".rstrip()
    return as_shown(f"{path}: {said}")


def harmless(cell: str) -> str:
    """Quote a cell that a spreadsheet would run as a formula: names are untrusted."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _best(outcome: Outcome) -> str:
    label = outcome["label"]
    return f"({100 * outcome['probabilities'][label]:.0f} %)" if label else ""
