"""`predict`: the function of this stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tqdm.auto import tqdm

from kezako.batch.csv_file import table
from kezako.batch.files import check, files
from kezako.batch.rows import cells, line
from kezako.batch.workers import SECONDS_EACH, Workers
from kezako.errors import KezakoError
from kezako.model.bundle import MODEL, Card
from kezako.model.classifier import Classifier
from kezako.worker.protocol import Outcome, problem, reason
from kezako.workspace import Workspace

ROWS = 64  # written at once


@dataclass
class Summary:
    """The result of one run, in numbers of pictures."""

    earlier: int = 0  # already had a row
    named: Counter[str] = field(default_factory=Counter)  # by label; "" is "none of these"
    problems: int = 0

    def count(self, outcome: Outcome) -> None:
        if problem(outcome):
            self.problems += 1
        else:
            self.named[outcome["label"] or ""] += 1

    def __str__(self) -> str:
        counts = [f"{number} {label or 'none of these'}" for label, number in self.named.items()]
        if self.problems:
            counts.append(f"{self.problems} with a problem")
        if self.earlier:
            counts.append(f"{self.earlier} by an earlier run")
        return f"{', '.join(counts) or 'no pictures'}."


def predict(
    workspace: Workspace,
    name: str,  # of the classifier
    given: Sequence[str],  # files and folders
    # The CSV file, or a pipe or device; None: print one line per picture.
    sheet: Path | None = None,
    processes: int | None = None,  # None: one per core
    seconds: float = SECONDS_EACH,  # timeout for one picture
    overwrite: bool = False,  # replace the file `sheet`, even if it is no table of answers
) -> Summary:
    """Classify every picture, continuing an interrupted run with the same file.

    Raises `KezakoError`.
    """
    # Checks the bundle before any worker starts.
    card = Classifier.open(workspace.bundle(name), threads=1).card
    check(given)
    with ExitStack() as stack:
        written = stack.enter_context(table(sheet, card, overwrite)) if sheet else None
        own = written.own() if written else set()
        total = sum(1 for _ in files(given, own))
        if not total:
            raise KezakoError(f"There are no files in {', '.join(given)}.")
        summary = Summary(earlier=len(written.done) if written else 0)
        left = (path for path in files(given, own) if written is None or path not in written)
        workers = stack.enter_context(Workers(workspace.models, name, processes, seconds))
        bar = stack.enter_context(tqdm(total=total, initial=summary.earlier, unit="picture"))
        rows: list[list[str]] = []
        for path, outcome in workers.answers(left):
            _check(card, outcome)
            summary.count(outcome)
            if written:
                rows.append(cells(card, path, outcome))
                if len(rows) == ROWS:
                    written.write(rows)
                    rows.clear()
            else:
                bar.write(line(path, outcome))
            bar.update()
        if written:
            written.write(rows)
            written.finish()
    return summary


def _check(card: Card, outcome: Outcome) -> None:
    """Raise `KezakoError` if no picture can be answered, or the model has changed."""
    if "failed" in outcome:
        raise KezakoError(reason(outcome))
    if "model" in outcome and outcome["model"]["version"] != card.files[MODEL]:
        raise KezakoError(
            f"{card.name} was replaced while it was in use. "
            "Run the same command again, to have all answers from the new one."
        )
