"""What a link says of a classifier, and who asks only for that."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from kezako.model.bundle import Card, Preprocessing
from kezako.serve.cards import Cover
from kezako.serve.links import LONGEST, SHORTEST, Link, is_preview, origin
from kezako.words import words

CARD = Card(
    name="bears", title="Which bear is this?", prompt="Choose a photo of a bear", answer="{label}",
    labels=("black", "grizzly", "teddy"), task="single", preprocessing=Preprocessing(32, "squish"),
    precision="fp32", temperature=1.0, thresholds={}, known=None,
)  # fmt: skip
COVER = Cover(b"", 1200, 630, "abc")
HOSTILE = '"><script>alert(1)</script>'


class Head(HTMLParser):
    """The elements of a head; texts by tag, and contents by name or property."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[str] = []
        self.told: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = {name: value or "" for name, value in attributes}
        name = named.get("name") or named.get("property")
        if tag == "meta" and name:
            self.told[name] = named["content"]
        elif tag == "link":
            self.links[named["rel"]] = named["href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def link(
    card: Card = CARD, *, origin: str = "https://example.org", cover: Cover | None = COVER,
    asked: bool = False,
) -> Link:  # fmt: skip
    return Link.of(
        card, words(), name=card.name, base="/is/", origin=origin, cover=cover, asked=asked
    )


def test_a_link_shows_title_description_and_cover() -> None:
    head = Head(link().head())
    assert head.text.strip() == "Which bear is this?"
    said = "Choose a photo of a bear. It knows black, grizzly and teddy."
    assert head.told["description"] == head.told["og:description"] == said
    assert head.told["og:title"] == CARD.title
    assert head.told["og:url"] == head.links["canonical"] == "https://example.org/is/"
    assert head.told["og:image"] == "https://example.org/is/cover/bears.jpg?v=abc"
    assert (head.told["og:image:width"], head.told["og:image:height"]) == ("1200", "630")
    assert head.told["twitter:card"] == "summary_large_image"
    assert head.links["apple-touch-icon"] == "/is/icons/180.png"


def test_a_link_to_one_classifier_names_it_in_its_addresses() -> None:
    head = Head(link(replace(CARD, name="a b&c"), asked=True).head())
    assert head.told["og:url"] == "https://example.org/is/?model=a+b%26c"
    assert head.told["og:image"] == "https://example.org/is/cover/a%20b%26c.jpg?v=abc"
    assert head.links["manifest"] == "/is/manifest.webmanifest?model=a+b%26c"


@pytest.mark.parametrize(("origin", "cover"), [("", COVER), ("https://example.org", None)])
def test_what_is_not_known_is_not_told(origin: str, cover: Cover | None) -> None:
    head = Head(link(origin=origin, cover=cover).head())
    assert "og:image" not in head.told
    assert ("og:url" in head.told) == ("canonical" in head.links) == bool(origin)
    assert head.told["twitter:card"] == "summary"


def test_a_makers_words_stay_text() -> None:
    card = replace(CARD, title=HOSTILE, prompt=f"a\nb\u202e{HOSTILE}", labels=(HOSTILE, "b"))
    head = Head(link(card).head())
    assert "script" not in head.tags
    assert head.text.strip() == HOSTILE
    assert head.told["og:title"] == HOSTILE
    assert head.told["description"].startswith(f"a b {HOSTILE} It knows")


def test_long_descriptions_are_cut() -> None:
    head = Head(link(replace(CARD, prompt="word " * 200)).head())
    assert len(head.told["description"]) <= LONGEST
    assert head.told["description"].endswith("…")


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("Bears", "Bears"),
        ("Which bear is this?", "Which bear"),
        ("Is it: this or that?", "Is it: this"),
        ("Donaudampfschifffahrt", "Donaudampfs…"),
    ],
)
def test_a_home_screen_gets_a_short_name(title: str, short: str) -> None:
    manifest = link(replace(CARD, title=title)).manifest()
    assert (manifest["name"], manifest["short_name"]) == (title, short)
    assert len(short) <= SHORTEST


@pytest.mark.parametrize(
    "agent",
    [
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) "
        "Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "Twitterbot/1.0",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Slackbot 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "WhatsApp/2.23.20.0 A",
        "TelegramBot (like TwitterBot)",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
        "http.rb/5.1.1 (Mastodon/4.2.1; +https://mastodon.example/)",
        "Mastodon/4.3.0 (http.rb/5.2.0; +https://mastodon.example/)",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; "
        "+http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
    ],
)
def test_previews_and_search_engines_are_known(agent: str) -> None:
    assert is_preview(agent)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
        "Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
        # Browsers inside apps, which have a visitor before them
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 "
        "[FBAN/FBIOS;FBAV/432.0.0.54.103;FBDV/iPhone14,7]",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 "
        "Twitter for iPhone/10.9 [Pinterest/iOS] LinkedInApp WhatsApp/2.23",
        "Mozilla/5.0 (Linux; Android 13; CUBOT X30) AppleWebKit/537.36 Chrome/116 Mobile Safari",
    ],
)
def test_visitors_are_no_previews(agent: str) -> None:
    assert not is_preview(agent)


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("example.org", True),
        ("xn--bcher-kva.example:8866", True),
        ("127.0.0.1:8866", True),
        ("[::1]:8866", True),
        ("example.org/path", False),
        ('"><script>', False),
        ("user@example.org", False),
        ("a b", False),
        ("", False),
    ],
)
def test_a_host_header_is_a_strangers_text(host: str, known: bool) -> None:
    assert origin("https", host) == (f"https://{host}" if known else "")
    assert origin("javascript", host) == ""
