"""One picture of the cleaner: large, with its reasons and buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ipywidgets import HTML, Box, Button, Dropdown, HBox, Image, VBox

from kezako.clean.marks import DELETE, KEEP, MOVE
from kezako.clean.review import Item, words
from kezako.dataset.row import Row
from kezako.recipe import NEITHER, SOMETHING_ELSE

KEYS = 9  # classes that have a digit key
_NOWHERE = ("Move …", "")  # not None, which is shown as an empty line
_STATES = ("kz-keep", "kz-delete", "kz-move")


class Thumbnail(VBox):
    """A slot for one picture; reused for other pictures when pages are turned."""

    def __init__(self, decide: Callable[[Thumbnail, str | None], None]):  # called for each mark
        self._decide = decide
        self.item: Item | None = None
        self._picture, self._words, self._state = Image(format="jpeg"), HTML(), HTML()
        self._keep = Button(description="Keep").add_class("kz-button-keep")
        self._delete = Button(description="Delete").add_class("kz-button-delete")
        self._move = Dropdown(options=[_NOWHERE]).add_class("kz-button-move")
        self._quiet = False  # True while code, not the user, sets the menu
        self._keep.on_click(lambda _: self._press(KEEP))
        self._delete.on_click(lambda _: self._press(DELETE))
        self._move.observe(self._choose, "value")
        buttons = HBox([self._keep, self._delete, self._move]).add_class("kz-buttons")
        frame = Box([self._picture]).add_class("kz-frame")
        super().__init__([frame, self._words, self._state, buttons])
        self.add_class("kz-thumbnail")

    def show(self, item: Item | None, folder: Path, targets: Sequence[str]) -> None:
        """Show a picture of data/NAME, or nothing."""
        self.item = item
        self.layout.display = None if item else "none"
        if item is None:
            self._picture.value = b""
            return
        self._picture.value = _content(folder / str(item.row.file))
        self._keep.description = "Accept" if item.row.status == "offered" else "Keep"
        self._keep.disabled = item.row.status == "offered" and item.row.folder not in targets
        self._offer(targets, item.row.folder)
        self.refresh()
        self._words.value = _about(item)  # last: once they are visible, keys work

    def refresh(self) -> None:
        """Show the row's current mark."""
        row = self.item.row if self.item else None
        state = _state(row)
        for name in _STATES:
            (self.add_class if name == state else self.remove_class)(name)
        said = words(row) if row else ""
        self._state.value = f'<p role="status">{escape(said) or "not marked"}</p>'
        mark = (row.mark if row else None) or ""
        self._set_menu(mark.removeprefix(MOVE) if mark.startswith(MOVE) else "")

    def _offer(self, targets: Sequence[str], own: str) -> None:
        keyed = [  # a class has the same digit for every picture
            (f"{number} {name}" if number <= KEYS else name, name)
            for number, name in enumerate(targets, 1)
            if name != own
        ]
        self._quiet = True
        self._move.options = [_NOWHERE, *keyed]
        self._quiet = False

    def _set_menu(self, name: str) -> None:
        self._quiet = True
        known = {value for _, value in self._move.options}
        self._move.value = name if name in known else ""
        self._quiet = False

    def _press(self, mark: str) -> None:
        again = self.item is not None and self.item.row.mark == mark
        self._decide(self, None if again else mark)  # a second press takes the mark away

    def _choose(self, change: Any) -> None:
        if not self._quiet:
            self._decide(self, MOVE + change["new"] if change["new"] else None)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # deleted in the meantime; its text is still shown


def _about(item: Item) -> str:
    row = item.row
    where = "none of the classes" if row.folder in (NEITHER, SOMETHING_ELSE) else row.folder
    side = {"train": "training", "valid": "validation"}.get(row.split or "", row.split or "")
    head = "visitor" if row.status == "offered" else side
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in item.reasons)
    return (
        f'<p class="kz-class"><b>{escape(where)}</b> <span>{head}</span></p>'
        f'<ul class="kz-reasons">{reasons}</ul>'
    )


def _state(row: Row | None) -> str:
    mark = (row.mark if row else None) or ""
    if row and mark.startswith(MOVE) and (row.status == "offered" or mark != MOVE + row.folder):
        return "kz-move"
    return {KEEP: "kz-keep", DELETE: "kz-delete"}.get(mark, "")
