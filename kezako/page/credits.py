"""Credits for the pictures that the classifier was trained on."""

from __future__ import annotations

import re
from html import escape
from typing import Any
from urllib.parse import urlsplit

from ipywidgets import HTML

from kezako.names import as_shown
from kezako.page.choice import Choice
from kezako.words import Words

MOST = 300_000  # characters shown; a page with more would take long to open
LONGEST = 2_000  # characters of an address

# The lines that kezako/gather/credits.py writes; a bundle may come from a stranger, so all others
# are shown as they are.
_HEADING = re.compile(r"(#{1,2}) (.+)")
_LINKED = re.compile(r"\[((?:[^\\\[\]]|\\.)+)\]\(<([^<>\s]+)>\)(.*)")
_ESCAPED = re.compile(r"\\([\\`*_\[\]<>#|!])")


class Credits(HTML):
    """Who made the pictures that the chosen classifier was trained on, if its bundle says so."""

    def __init__(self, choice: Choice):
        super().__init__()
        self.add_class("kezako-credits")
        self._choice = choice
        choice.observe(self._show, "classifier")
        self._show()

    def _show(self, _change: Any = None) -> None:
        text, say = self._choice.credits(), self._choice.words
        summary = escape(say("credits"))
        self.value = (
            f"<details><summary>{summary}</summary>{as_html(text, say)}</details>" if text else ""
        )


def as_html(
    text: str,  # Markdown as `kezako credits` writes it; untrusted
    say: Words,
) -> str:
    """Headings, lists and links to http and https; whatever else `text` holds becomes plain text.

    At most `MOST` characters of `text` are shown, whole lines only.
    """
    parts: list[str] = []
    items: list[str] = []
    for line in [*_bounded(text, say), ""]:
        if line.startswith("- "):
            items.append(f"<li>{_credit(line[2:])}</li>")
            continue
        if items:
            parts.append(f"<ul>{''.join(items)}</ul>")
            items = []
        if line.strip():
            parts.append(_block(line))
    return "".join(parts)


def _bounded(text: str, say: Words) -> list[str]:
    if len(text) <= MOST:
        return text.splitlines()
    return [*text[: text.rfind("\n", 0, MOST) + 1].splitlines(), say("credits_more")]


def _block(line: str) -> str:
    if heading := _HEADING.fullmatch(line):
        level = 1 + len(heading[1])  # the page's title is its only <h1>
        return f"<h{level}>{_text(heading[2])}</h{level}>"
    return f"<p>{_text(line)}</p>"


def _credit(line: str) -> str:
    linked = _LINKED.fullmatch(line)
    if linked is None or not _is_web(linked[2]):
        return _text(line)
    return (
        f'<a href="{escape(linked[2])}" target="_blank" rel="noopener noreferrer nofollow">'
        f"{_text(linked[1])}</a>{_text(linked[3])}"
    )


def _is_web(address: str) -> bool:
    """Whether a link may lead there: http or https, with a host, in printable characters."""
    if len(address) > LONGEST or not address.isprintable() or "\\" in address:
        return False
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _text(markdown: str) -> str:
    """Text as it was before `kezako credits` escaped it, now escaped for HTML."""
    plain = _ESCAPED.sub(r"\1", markdown)
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):  # "&amp;" last
        plain = plain.replace(entity, sign)
    return escape(as_shown(plain))
