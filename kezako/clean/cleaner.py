"""The cleaner widget: large pictures, worst first, to keep, delete or move."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from typing import Any

from ipywidgets import HTML, Box, Button, Dropdown, HBox, Output, VBox

from kezako.clean.review import SHOWN, Item, Review, Suspected
from kezako.clean.thumbnail import Thumbnail
from kezako.errors import sentence
from kezako.recipe import Recipe
from kezako.workspace import Workspace

_ALL = ""  # no class has this name; None would be shown as an empty line
PAGE = 12  # pictures per page: three rows on a desktop screen
_KEYS = (
    '<span class="kz-help">Keys: <kbd>←</kbd> <kbd>→</kbd> another picture, <kbd>K</kbd> keep, '
    "<kbd>D</kbd> delete, "
    "<kbd>1</kbd> to <kbd>9</kbd> move, <kbd>N</kbd> <kbd>P</kbd> next and previous page, "
    "<kbd>U</kbd> undo. The same key again takes a mark away.</span>"
)


class Cleaner(VBox):
    """Shows the pictures of a recipe; each mark is written to the manifest at once.

    Files are moved only by Apply, and nothing is deleted: Undo moves them back.
    """

    def __init__(
        self,
        recipe: Recipe,
        workspace: Workspace,
        suspects: Iterable[Suspected] = (),  # shown first, worst first
    ):
        self._review = Review(recipe, workspace, suspects)
        self._items: list[Item] = []
        self._first = 0  # index of the first picture on the page
        self._heading, self._notice, self._counts, self._place = HTML(), HTML(), HTML(), HTML()
        self._class = Dropdown(description="Class").add_class("kz-class-menu")
        self._shown = Dropdown(options=list(SHOWN), description="Show").add_class("kz-shown-menu")
        self._thumbnails = [Thumbnail(self._decide) for _ in range(PAGE)]
        self._undo = self._button("Undo", "kz-undo", self._take_back)
        self._apply = self._button("Apply", "kz-apply", self._move_files)
        self._previous = self._button("‹ Previous", "kz-previous", lambda: self._turn(-1))
        self._next = self._button("Next ›", "kz-next", lambda: self._turn(1))
        self._rest = self._button("Keep the rest", "kz-rest", self._keep_rest)
        self._heading.value = (
            f"<h1>{escape(recipe.title)}</h1><p>Nothing moves before you press Apply. {_KEYS}</p>"
        )
        super().__init__(self._children())
        self.add_class("kezako-cleaner")
        self._list_classes()
        self._class.observe(self._filter, "value")
        self._shown.observe(self._filter, "value")
        self._filter()

    def rank(self, suspects: Iterable[Suspected]) -> None:
        """Show `suspects` first, worst first."""
        self._review.rank(suspects)
        self._filter()

    def _children(self) -> list[Any]:
        folder = Path(__file__).parent
        style = HTML(f"<style>{(folder / 'cleaner.css').read_text('utf-8')}</style>")
        keys = Output(
            outputs=(
                {
                    "output_type": "display_data",
                    "data": {
                        "application/javascript": (folder / "cleaner.js").read_text("utf-8"),
                        "text/plain": "",
                    },
                    "metadata": {},
                },
            )
        ).add_class("kz-keys")
        menus = HBox([self._class, self._shown]).add_class("kz-bar")
        grid = Box(self._thumbnails).add_class("kz-grid")
        pages = HBox([self._previous, self._place, self._next, self._rest]).add_class("kz-bar")
        actions = HBox([self._counts, self._undo, self._apply]).add_class("kz-bar")
        actions.add_class("kz-actions")
        return [style, keys, self._heading, menus, self._notice, grid, pages, actions]

    def _button(self, words: str, name: str, press: Callable[[], None]) -> Button:
        button = Button(description=words).add_class(name)
        button.on_click(lambda _: self._careful(press))
        return button

    def _careful(self, act: Callable[[], None]) -> None:
        """Show errors that the user can fix as a sentence on the page."""
        try:
            act()
        except Exception as error:
            if (shown := sentence(error)) is None:
                raise
            self._notify(shown)

    def _decide(self, thumbnail: Thumbnail, mark: str | None) -> None:
        def decide() -> None:
            if thumbnail.item:
                self._review.mark([thumbnail.item.row], mark)
                self._notify("")

        self._careful(decide)
        thumbnail.refresh()
        self._count()

    def _keep_rest(self) -> None:
        rows = [t.item.row for t in self._thumbnails if t.item and t.item.row.mark is None]
        self._review.mark([row for row in rows if row.status == "kept"], "keep")
        if self._first + PAGE < len(self._items):
            self._turn(1)
        else:
            self._draw()

    def _move_files(self) -> None:
        self._notify("Moving files …")
        applied = self._review.apply()
        self._list_classes()
        self._load()
        self._notify(str(applied))

    def _take_back(self) -> None:
        said = self._review.undo()
        self._list_classes()
        self._load()
        self._notify(said)

    def _list_classes(self) -> None:
        chosen = self._class.value
        counts = self._review.classes()
        options = [(f"all ({sum(counts.values())})", _ALL)]
        options += [(f"{name} ({number})", name) for name, number in counts.items()]
        with self.hold_trait_notifications():
            self._class.options = options
            self._class.value = chosen if chosen in counts else _ALL

    def _filter(self, _: Any = None) -> None:
        self._first = 0
        self._notify("")
        self._load()

    def _load(self) -> None:
        self._items = self._review.items(self._class.value or None, self._shown.value)
        last = max(0, (len(self._items) - 1) // PAGE * PAGE)
        self._first = min(self._first, last)
        self._draw()

    def _turn(self, pages: int) -> None:
        self._notify("")
        self._first = max(0, self._first + pages * PAGE)
        self._load()

    def _draw(self) -> None:
        targets = self._review.targets()
        shown = self._items[self._first : self._first + PAGE]
        for index, thumbnail in enumerate(self._thumbnails):
            item = shown[index] if index < len(shown) else None
            thumbnail.show(item, self._review.folder, targets)
        pages = -(-len(self._items) // PAGE)
        here = self._first // PAGE + 1
        self._place.value = f"<p>Page {here} of {pages}</p>" if pages else "<p>No pictures.</p>"
        self._previous.disabled, self._next.disabled = here <= 1, here >= pages
        self._count()

    def _count(self) -> None:
        counts = self._review.counts()
        accept = f", <b>{counts['accept']}</b> to accept" if counts["accept"] else ""
        self._counts.value = (
            f"<p><b>{counts['delete']}</b> to delete, <b>{counts['move']}</b> to move"
            f"{accept}, {counts['keep']} kept</p>"
        )
        self._apply.disabled = not any(counts[kind] for kind in ("delete", "move", "accept"))
        self._undo.disabled = not self._review.can_undo()

    def _notify(self, text: str) -> None:
        self._notice.value = (
            f'<p class="kz-notice" role="status">{escape(text)}</p>' if text else ""
        )
