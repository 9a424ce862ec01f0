"""Title, prompt, and the choice of a classifier."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
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
    read_card,
)
from kezako.model.classifier import Classifier, TookTooLong
from kezako.model.remote import Engine, EngineError
from kezako.model.wording import short
from kezako.words import LISTED, Words, accepted, words
from kezako.workspace import Workspace

SHOWN = 8  # classes named under the title; more are folded
_OPENED: dict[Path, Classifier] = {}


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
        language: str | None = None,  # the visitor's `Accept-Language`, as given by Voilà
    ):
        try:
            environment.check()
        except KezakoError as error:  # commands report this when they start
            get_logger().warning("%s", error)
        self._models = models or Workspace.find().models
        self._opened: dict[str, Classifier | Engine] = {}
        self._heading = HTML().add_class("kezako-heading")
        self._notice = HTML()
        self.promise = HTML().add_class("kezako-promise")
        if language is None:
            language = os.environ.get("HTTP_ACCEPT_LANGUAGE", "")
        self.words = words(accepted(language))  # until a classifier with its own is opened
        self._engine = remote.chosen()
        names, away = self._names()
        self._menu = Dropdown(options=names, value=None)
        style = HTML().add_class("kezako-style")
        menu = [self._menu] if len(names) > 1 else []
        super().__init__([style, self._heading, *menu, self._notice])
        self.add_class("kezako-choice")
        self.name: str | None = None  # name of the classifier in use
        if away:
            self._notify(self.words(away))
        else:
            self._start(names, os.environ.get("QUERY_STRING", "") if query is None else query)
        style.value = _style() + _language(self.words)
        self._menu.description = self.words("classifier")
        self._menu.observe(self._choose, "value")

    def _names(self) -> tuple[list[str], str]:
        """The classifiers to choose from, and the key of a sentence: why there are none."""
        if not self._engine:
            names = list_bundles(self._models)
            return [name for name in names if name not in NOT_CLASSIFIERS], ""
        try:
            return remote.names(self._engine), ""
        except (EngineError, TookTooLong):
            return [], "engine_away"

    def _start(self, names: list[str], query: str) -> None:
        asked = [*parse_qs(query).get("model", []), environment.read("MODEL")]
        troubles = [
            self.words("no_classifier", name=repr(short(name)))
            for name in asked
            if name and name not in names
        ]
        for name in dict.fromkeys(name for name in (*asked, *names) if name in names):
            if trouble := self._open(name):
                troubles.append(trouble)
            else:
                break
        if not names:
            troubles = [self.words("no_classifiers")]
        self._notify(" ".join(troubles))
        self._menu.value = self.name

    def _choose(self, change: Any) -> None:
        if change["new"] != self.name:
            self._notify(self._open(change["new"]))
            self._menu.value = self.name  # unchanged if the other one cannot be opened

    def _open(self, name: str) -> str:
        """Use the classifier `name`; if that fails, a sentence for the visitor, without paths."""
        try:
            chosen = self._opened.get(name) or self._new(name)
        except (BundleError, EngineError, TookTooLong) as error:
            get_logger().warning("%s", error)
            return self.words("not_opened", name=repr(short(name)))
        if self.name is None and chosen.card.language:  # a page has one language throughout
            self.words = words(chosen.card.language)
        self._opened[name], self.name = chosen, name
        self._heading.value = _heading(name, chosen.card, self.words)
        kept = "promise_corrections" if corrections.enabled() else "promise"
        self.promise.value = f"<p>{escape(self.words(kept))}</p>"
        self.classifier = chosen
        return ""

    def _new(self, name: str) -> Classifier | Engine:
        if self._engine:
            return Engine.open(self._engine, name)
        return _opened(self._models / name)

    def credits(self) -> str:
        """`credits.md` of the classifier in use; empty if it has none."""
        files = self._read(lambda card: [CREDITS] if CREDITS in card.files else [])
        return files.get(CREDITS, b"").decode("utf-8", "replace")

    def examples(self) -> list[bytes]:
        """Pictures to try with the classifier in use, as JPEG."""
        return list(self._read(_examples_of).values())

    def _read(self, needed: Callable[[Card], list[str]]) -> dict[str, bytes]:
        """Files of the classifier in use that its card names; none where they cannot be read."""
        if self._engine or self.classifier is None or not needed(self.classifier.card):
            return {}
        try:  # the bundle may have been replaced, also by one without these files
            return read_bundle(self._models / str(self.name), needed)[1]
        except BundleError as error:
            get_logger().warning("%s", error)
            return {}

    def _notify(self, text: str) -> None:
        self._notice.value = f'<p class="kezako-notice">{escape(text)}</p>' if text else ""


def _examples_of(card: Card) -> list[str]:
    return [example.file for example in card.examples]


def _opened(folder: Path) -> Classifier:
    """The classifier in `folder`, opened once a process while it stays the same.

    `kezako serve` runs the notebook again for each language, in copies of the first one's process,
    which share the memory of a model that was opened there.
    """
    known = _OPENED.get(folder)
    if known is None or known.card != read_card(folder):
        known = _OPENED[folder] = Classifier.open(folder)
    return known


def _style() -> str:
    return f"<style>{Path(__file__).with_name('page.css').read_text('utf-8')}</style>"


def _language(say: Words) -> str:
    """Where the front end finds the page's language and its own sentences in it."""
    if not (own := say.in_browser()):
        return ""
    return f'<i hidden data-kezako-language="{say.code}" data-kezako-words="{escape(own)}"></i>'


def _heading(name: str, card: Card, say: Words) -> str:
    texts = card.texts(say.code)
    title, query = escape(texts.title), escape(json.dumps({"model": name}))
    # The light front end keeps the page's title and address in step with these.
    heading = f'<h1 data-kezako-title="{title}" data-kezako-query="{query}">{title}</h1>'
    return f"{heading}<p>{escape(texts.prompt)}</p>{_knows(card, say)}"


def _knows(card: Card, say: Words) -> str:
    """What the classifier can tell apart, unless title and prompt name it all."""
    texts = card.texts(say.code)
    names = [card.name_of(label, say.code) for label in card.labels]
    there = f"{texts.title} {texts.prompt}".casefold()
    if all(name.casefold() in there for name in names):
        return ""
    listed = say("comma").join(names)
    if len(names) <= SHOWN:
        joined = say.listed(names, "and") if len(names) <= LISTED else listed
        return f'<p class="kezako-knows">{escape(say("knows", labels=joined))}</p>'
    summary = escape(say("knows_many", count=len(names)))
    return (
        f'<details class="kezako-knows"><summary>{summary}</summary><p>{escape(listed)}</p>'
        "</details>"
    )
