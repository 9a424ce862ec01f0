"""What a Markdown page holds: fenced blocks, headings, links."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(`{3,})(\w*)\n(.*?)^\1$", re.M | re.S)
_NOTE = re.compile(r"^<!-- (not run|saved as): (.*?) *-->\n+\Z", re.M)
_LINK = re.compile(r"\]\(<?([^\s)>]+)>?\)|(?:src|href)=\"([^\"]+)\"")
_CODE = re.compile(r"`[^`\n]*`")


@dataclass(frozen=True)
class Block:
    """A fenced block; the comment on the line before it may say why it is not run."""

    kind: str  # "sh", "python", ...
    text: str
    line: int  # of its fence
    not_run: str | None = None  # the reason
    saved_as: str | None = None  # a file that the reader writes with it


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        before = text[: found.start()]
        note = _NOTE.search(before)
        said = {note[1]: note[2]} if note else {}
        yield Block(
            found[2], found[3], before.count("\n") + 1, said.get("not run"), said.get("saved as")
        )


def prose(page: Path) -> str:
    """The text without code; of a notebook, its Markdown cells."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return _FENCE.sub("", text)


def links(page: Path) -> list[str]:
    """Where its links and pictures lead."""
    return [found[1] or found[2] for found in _LINK.finditer(_CODE.sub("`code`", prose(page)))]


def anchors(page: Path) -> set[str]:
    """What a link may name after `#`: a heading in lower case, spaces as dashes, no punctuation."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.*?) *#*$", prose(page), re.M):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = 0
        while (name := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(name)
    return found
