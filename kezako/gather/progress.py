"""A progress bar per class, with counts of kept and other pictures."""

from __future__ import annotations

from collections import Counter

from tqdm.auto import tqdm

from kezako.dataset.row import Row

_SHOWN = ("kept", "duplicate", "broken", "refused")


class Bar:
    """`with Bar("grizzly", total=150) as bar: bar.count(row)`."""

    def __init__(
        self,
        title: str,
        total: int | None,  # pictures wanted, or files to read
        done: int = 0,  # done before this run
        only_kept: bool = False,  # a picture that is not kept does not move the bar
    ):
        self._only_kept = only_kept
        self._counts: Counter[str] = Counter()
        self._bar = tqdm(total=total, initial=done, desc=title, unit="picture", mininterval=0.2)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def count(self, row: Row) -> None:
        self._counts[row.status] += 1
        self._bar.set_postfix({key: self._counts[key] for key in _SHOWN}, refresh=False)
        if row.status == "kept" or not self._only_kept:
            self._bar.update()
