"""Title, prompt, and the choice of a classifier."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from ipywidgets import HTML, Dropdown, VBox
from traitlets import Any as AnyTrait
from traitlets.log import get_logger

from kezako import environment
from kezako.dataset import corrections
from kezako.errors import KezakoError
from kezako.model import remote
from kezako.model.bundle import (
    CREDITS,
    NOT_CLASSIFIERS,
    BundleError,
    Card,
    list_bundles,
    read_bundle,
)
from kezako.model.classifier import Classifier, TookTooLong
from kezako.model.remote import Engine, EngineError
from kezako.model.wording import promise, short
from kezako.workspace import Workspace


class Choice(VBox):
    """Title, prompt and, if there are several classifiers, a menu.

    `classifier` is the one in use: from `?model=NAME` in the page's URL, else `$KEZAKO_MODEL`, else
    the first by name. It is None only if none can be opened; the page then says why. Observe it to
    react to another choice. With `$KEZAKO_ENGINE` it is an `Engine`, which answers over HTTP.
    """

    classifier = AnyTrait(None, allow_none=True)

    def __init__(
        self,
        models: Path | None = None,  # the folder of bundles; default: the workspace's
        query: str | None = None,  # the query string of the page's URL, as given by Voilà
    ):
        try:
            environment.check()
        except KezakoError as error:  # commands report this when they start
            get_logger().warning("%s", error)
        self._models = models or Workspace.find().models
        self._opened: dict[str, Classifier | Engine] = {}
        self._heading, self._notice = HTML(), HTML()
        self._engine = remote.chosen()
        names, away = self._names()
        self._menu = Dropdown(options=names, value=None, description="Classifier")
        style = HTML(f"<style>{Path(__file__).with_name('page.css').read_text('utf-8')}</style>")
        menu = [self._menu] if len(names) > 1 else []
        super().__init__([style, self._heading, *menu, self._notice])
        self.add_class("kezako-choice")
        self.name: str | None = None  # name of the classifier in use
        if away:
            self._say(away)
        else:
            self._start(names, os.environ.get("QUERY_STRING", "") if query is None else query)
        self._menu.observe(self._choose, "value")

    def _names(self) -> tuple[list[str], str]:
        """The classifiers to choose from, and a sentence that says why there are none."""
        if not self._engine:
            names = list_bundles(self._models)
            return [name for name in names if name not in NOT_CLASSIFIERS], ""
        try:
            return remote.names(self._engine), ""
        except (EngineError, TookTooLong):
            return [], "The classifier cannot be reached at the moment. Please come again later."

    def _start(self, names: list[str], query: str) -> None:
        asked = [*parse_qs(query).get("model", []), environment.read("MODEL")]
        troubles = [
            f"There is no classifier {short(name)!r} here."
            for name in asked
            if name and name not in names
        ]
        for name in dict.fromkeys(name for name in (*asked, *names) if name in names):
            if trouble := self._open(name):
                troubles.append(trouble)
            else:
                break
        if not names:
            troubles = ["There is no classifier yet. Train one with: kezako train NAME"]
        self._say(" ".join(troubles))
        self._menu.value = self.name

    def _choose(self, change: Any) -> None:
        if change["new"] != self.name:
            self._say(self._open(change["new"]))
            self._menu.value = self.name  # unchanged if the other one cannot be opened

    def _open(self, name: str) -> str:
        """Use the classifier `name`; if that fails, a sentence for the visitor, without paths."""
        try:
            chosen = self._opened.get(name) or self._new(name)
        except (BundleError, EngineError, TookTooLong) as error:
            get_logger().warning("%s", error)
            return f"The classifier {short(name)!r} cannot be opened; the server's log says why."
        self._opened[name], self.name = chosen, name
        self._heading.value = _heading(chosen.card)
        self.classifier = chosen
        return ""

    def _new(self, name: str) -> Classifier | Engine:
        if self._engine:
            return Engine.open(self._engine, name)
        return Classifier.open(self._models / name)

    def credits(self) -> str:
        """`credits.md` of the classifier in use; empty if it has none."""
        if self.classifier is None or CREDITS not in self.classifier.card.files:
            return ""
        try:  # the bundle may have been replaced, also by one without credits
            _, files = read_bundle(self._models / str(self.name), _credits_of)
        except BundleError as error:
            get_logger().warning("%s", error)
            return ""
        return files.get(CREDITS, b"").decode("utf-8", "replace")

    def _say(self, text: str) -> None:
        self._notice.value = f'<p class="kezako-notice">{escape(text)}</p>' if text else ""


def _credits_of(card: Card) -> list[str]:
    return [CREDITS] if CREDITS in card.files else []


def _heading(card: Card) -> str:
    kept = promise(corrections.enabled())
    return (
        f"<h1>{escape(card.title)}</h1><p>{escape(card.prompt)}</p>"
        f'<p class="kezako-promise">{escape(kept)}</p>'
    )
