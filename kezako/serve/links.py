"""What a link to the page shows elsewhere (title, cover), and who asks only for that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from urllib.parse import quote, urlencode

from kezako.model.bundle import Card
from kezako.serve.cards import Cover
from kezako.serve.icons import SIDES
from kezako.words import Words

LIGHT, DARK = "#fbfbfa", "#111318"  # the page's ground
LONGEST = 300  # characters of a description
SHORTEST = 12  # characters under an icon on a home screen
# They send no visitor: they read the page's head, for a chat or a search.
_AGENTS = re.compile(
    r"\b(?:facebookexternalhit|facebot|meta-externalagent|twitterbot|slackbot(?:-linkexpanding)?"
    r"|discordbot|telegrambot|linkedinbot|pinterestbot|redditbot|skypeuripreview|embedly|iframely"
    r"|cardyb|vkshare|mastodon|pleroma|akkoma|misskey|lemmy|friendica|synapse"
    r"|googlebot|google-inspectiontool|bingbot|bingpreview|applebot|duckduckbot|yandexbot)\b"
    r"|^whatsapp/",
    re.IGNORECASE,
)
# A name, an IPv4 or a bracketed IPv6 address, and a port.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class Link:
    """A link to the page of one classifier, in one language. All texts are plain."""

    title: str
    prompt: str
    names: tuple[str, ...]  # of its classes
    description: str
    language: str
    base: str  # path of the page, from / to /
    query: str  # what follows it: "?model=bears", or nothing
    origin: str  # scheme and host; empty if they are not known for sure
    cover: str  # path of its picture; empty: it has none
    cover_size: tuple[int, int] = (0, 0)  # width and height in pixels

    @classmethod
    def of(
        cls,
        card: Card,
        say: Words,
        *,
        name: str,  # of the classifier, as in the URL
        base: str,
        origin: str,
        cover: Cover | None,
        asked: bool,  # whether the URL names the classifier
    ) -> Link:
        """The link to the page of the classifier with this card."""
        texts = card.texts(say.code)
        names = tuple(_line(card.name_of(label, say.code)) for label in card.labels)
        knows = say("knows", labels=say.listed(names, "and"))
        path = f"{base}cover/{quote(name, safe='')}.jpg"
        return cls(
            title=_line(texts.title),
            prompt=_line(texts.prompt),
            names=names,
            description=_cut(f"{_sentence(texts.prompt)} {knows}".strip(), LONGEST),
            language=say.code,
            base=base,
            query="?" + urlencode({"model": name}) if asked else "",
            origin=origin,
            cover=f"{path}?v={cover.version}" if cover else "",
            cover_size=(cover.width, cover.height) if cover else (0, 0),
        )

    def head(self) -> str:
        """HTML for the page's head."""
        light, dark = ((f"(prefers-color-scheme: {name})") for name in ("light", "dark"))
        manifest = f"{self.base}manifest.webmanifest{self.query}"
        lines = [
            f"<title>{escape(self.title)}</title>",
            _meta("name", "description", self.description),
            f'<meta name="theme-color" media="{light}" content="{LIGHT}">',
            f'<meta name="theme-color" media="{dark}" content="{DARK}">',
            f'<link rel="apple-touch-icon" href="{escape(self.base)}icons/{SIDES[0]}.png">',
            f'<link rel="manifest" href="{escape(manifest)}">',
            _meta("property", "og:type", "website"),
            _meta("property", "og:title", self.title),
            _meta("property", "og:description", self.description),
            *self._addresses(),
        ]
        return "\n".join(lines)

    def _addresses(self) -> list[str]:
        """What has to be absolute."""
        large = bool(self.origin and self.cover)
        card = _meta("name", "twitter:card", "summary_large_image" if large else "summary")
        if not self.origin:
            return [card]
        address = f"{self.origin}{self.base}{self.query}"
        lines = [
            f'<link rel="canonical" href="{escape(address)}">',
            _meta("property", "og:url", address),
            card,
        ]
        if self.cover:
            width, height = self.cover_size
            lines += [
                _meta("property", "og:image", self.origin + self.cover),
                _meta("property", "og:image:type", "image/jpeg"),
                _meta("property", "og:image:width", str(width)),
                _meta("property", "og:image:height", str(height)),
                _meta("property", "og:image:alt", self.title),
            ]
        return lines

    def manifest(self) -> dict[str, object]:
        """The web app manifest: how a home screen shows the page."""
        sides = SIDES[1:]
        icons = [
            {"src": f"{self.base}icons/{side}.png", "sizes": f"{side}x{side}", "type": "image/png",
             "purpose": purpose}
            for side in sides
            for purpose in ("any", "maskable")
        ]  # fmt: skip
        return {
            "name": self.title,
            "short_name": _short(self.title),
            "description": self.description,
            "lang": self.language,
            "start_url": self.base + self.query,
            "scope": self.base,
            "display": "standalone",
            "background_color": LIGHT,
            "theme_color": LIGHT,
            "icons": icons,
        }


def is_preview(user_agent: str) -> bool:
    """Whether a request comes from a link preview or a search engine, not from a visitor."""
    return bool(_AGENTS.search(user_agent[:1000]))


def origin(
    scheme: str,
    host: str,  # as in a Host header, which is untrusted
) -> str:
    """Scheme and host of a URL; empty if they are none."""
    known = scheme in ("http", "https") and _HOST.fullmatch(host)
    return f"{scheme}://{host}" if known else ""


def _meta(kind: str, name: str, content: str) -> str:
    return f'<meta {kind}="{name}" content="{escape(content)}">'


def _line(text: str) -> str:
    """`text` in one line, without characters that cannot be seen."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _sentence(text: str) -> str:
    """`text` in one line that ends as a sentence does."""
    line = _line(text)
    return f"{line}." if line[-1:].isalnum() else line


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _short(title: str) -> str:
    """The first words of a title."""
    if len(title) <= SHORTEST:
        return title
    words = title[: SHORTEST + 1].rpartition(" ")[0]
    return words.rstrip(" ,.:;?!–-") or _cut(title, SHORTEST)
