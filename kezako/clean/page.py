"""The cleaner's page: a menu of recipes, and a button that looks for suspects."""

from __future__ import annotations

import os
from html import escape
from typing import Any
from urllib.parse import parse_qs

from ipywidgets import HTML, Button, Dropdown, HBox, VBox
from traitlets.log import get_logger

from kezako import environment
from kezako.clean.cleaner import Cleaner
from kezako.errors import sentence
from kezako.recipe import Recipe
from kezako.workspace import Workspace

# If it exists, suspects take seconds; not imported, since its module needs torch.
MEASURED = "features.npz"


class CleanPage(VBox):
    """The page of `clean.ipynb`: a cleaner, with the suspects first after a search.

    `?name=NAME` in the page's URL picks the recipe; default: `$KEZAKO_MODEL`, else the first one.
    """

    def __init__(
        self,
        workspace: Workspace | None = None,  # default: the nearest one
        query: str | None = None,  # the query string of the page's URL, as given by Voilà
    ):
        self._workspace = workspace or Workspace.find()
        self._notice = HTML()
        names = sorted(db.parent.name for db in self._workspace.data.glob("*/manifest.db"))
        self._menu = Dropdown(options=names, value=None, description="Classifier")
        self._search = Button(description="Look for suspects", disabled=True)
        self._search.add_class("kz-search")
        self._head = HBox([self._menu, self._search]).add_class("kz-bar")
        super().__init__([self._head, self._notice])
        self.add_class("kezako-cleaner")
        self._menu.observe(self._choose, "value")
        self._search.on_click(lambda _: self._look())
        self._start(names, os.environ.get("QUERY_STRING", "") if query is None else query)

    def _start(self, names: list[str], query: str) -> None:
        asked = [*parse_qs(query).get("name", []), environment.read("MODEL")]
        for name in (*asked, *names):
            if name in names:
                self._menu.value = name
                return
        self._say("There are no pictures yet. Gather some with: kezako gather NAME")

    def _choose(self, change: Any) -> None:
        self.children, self._search.disabled = [self._head, self._notice], True
        try:
            self._recipe: Recipe = self._workspace.recipe(change["new"])
            self._cleaner = Cleaner(self._recipe, self._workspace)
        except Exception as error:
            self._say(f"The pictures of {change['new']} cannot be shown: {_told(error)}")
            return
        self._say("")
        self.children = [self._head, self._notice, self._cleaner]
        self._search.disabled = False
        if (self._workspace.folder(self._recipe.name) / MEASURED).is_file():
            self._look()

    def _look(self) -> None:
        self._search.disabled = True
        self._say("Looking at every picture. The first time, a thousand take about a minute …")
        try:
            from kezako.clean.suspects import find_suspects  # lazy: it needs torch

            self._cleaner.rank(find_suspects(self._recipe, self._workspace))
            self._say("")
        except Exception as error:
            self._say(f"Suspects cannot be looked for: {_told(error)}")
        self._search.disabled = False

    def _say(self, text: str) -> None:
        self._notice.value = f'<p class="kz-notice">{escape(text)}</p>' if text else ""


def _told(error: Exception) -> str:
    """A sentence for an error; unexpected errors go to the log with their traceback."""
    if isinstance(error, ImportError):  # the page itself does not need torch
        return str(error)
    if told := sentence(error):
        return told
    get_logger().error("The cleaner broke down.", exc_info=error)
    return "something went wrong here, and the terminal says what."
