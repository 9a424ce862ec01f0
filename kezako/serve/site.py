"""What browsers and search engines ask for beside the page: cover, icons, manifest, robots.txt."""

from __future__ import annotations

import json
from typing import Any

from kezako.model.wording import short
from kezako.serve.cards import Cards
from kezako.serve.icons import SIDES, icon
from kezako.serve.links import Link, origin
from kezako.serve.security import SENTENCES, Sentences
from kezako.words import words

DAY = 24 * 3600  # seconds


def routes(cards: Cards) -> list[tuple[str, type[Sentences], dict[str, Any]]]:
    """Pattern, handler and arguments of all that is not the page itself."""
    return [
        (r"/cover/([^/]+)\.jpg", CoverHandler, {"cards": cards}),
        (rf"/icons/({'|'.join(map(str, SIDES))})\.png", IconHandler, {}),
        ("/manifest.webmanifest", ManifestHandler, {"cards": cards}),
        ("/robots.txt", RobotsHandler, {}),
    ]


class SiteHandler(Sentences):
    """A handler that knows the classifiers on offer."""

    cards: Cards

    def initialize(self, cards: Cards, **arguments: Any) -> None:
        super().initialize(**arguments)
        self.cards = cards

    def link(self, model: str) -> Link | None:
        """The link to the page with `?model=`, or without if `model` is empty.

        None if nothing is known of the classifier.
        """
        name = model or self.cards.default()
        card = self.cards.card(name) if name else None
        if card is None:
            return None
        return Link.of(
            card,
            words(card.language) if card.language else self.words,
            name=name,
            base=self.settings["base_url"],
            # Behind a proxy that is trusted, tornado has read the scheme from its headers.
            origin=origin(self.request.protocol, self.request.host),
            cover=self.cards.cover(name),
            asked=bool(model),
        )

    def refuse(self, model: str) -> None:
        """Finish with the sentence that there is no such classifier."""
        said = self.words("no_classifier", name=repr(short(model)))
        self.say(404, said, home=self.settings["base_url"])


class CoverHandler(SiteHandler):
    """The picture that a shared link shows."""

    _etag: str | None = None

    def get(self, name: str) -> None:
        if name not in self.cards.names():
            self.refuse(name)
            return
        cover = self.cards.cover(name)
        if cover is None:
            self.say(404, self.words("no_cover"), home=self.settings["base_url"])
            return
        self.set_header("Content-Type", "image/jpeg")
        self.set_header("Cache-Control", f"public, max-age={DAY}")
        # Chats and other sites show it in pages of their own.
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        self._etag = f'"{cover.version}"'
        self.write(cover.content)

    head = get

    def compute_etag(self) -> str | None:
        return self._etag


class IconHandler(Sentences):
    """The page's icon as PNG."""

    def get(self, side: str) -> None:
        self.set_header("Content-Type", "image/png")
        self.set_header("Cache-Control", f"public, max-age={DAY}")
        self.write(icon(int(side)))

    head = get


class ManifestHandler(SiteHandler):
    """The web app manifest of one classifier's page."""

    def get(self) -> None:
        model = self.get_query_argument("model", "")
        link = self.link(model) if not model or model in self.cards.names() else None
        if link is None:
            self.say(404, self.words(SENTENCES[404]), home=self.settings["base_url"])
            return
        self.set_header("Content-Type", "application/manifest+json")
        self.set_header("Cache-Control", "no-cache")
        self.write(json.dumps(link.manifest(), ensure_ascii=False))

    head = get


class RobotsHandler(Sentences):
    """robots.txt: the page may be found; its API and files are of no use to a search engine."""

    def get(self) -> None:
        base = self.settings["base_url"]
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.set_header("Cache-Control", f"public, max-age={DAY}")
        self.write(f"User-agent: *\nDisallow: {base}api/\nDisallow: {base}voila/\n")

    head = get
