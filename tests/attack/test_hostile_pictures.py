"""Bombs, giants and scripts, uploaded through the page: each gets a sentence, and nothing else."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from tests.limits.guest import Guest

ENDED = {"kezako-is-answer", "kezako-is-error", "kezako-is-again"}  # the page's stages
NAMES = [
    "<script>alert(1)</script>.png", "../../etc/passwd", "a\r\nb.png", "\u202egnp.exe", "x" * 5000,
    "%s%n{{7*7}}$x^2$", "\x00\x01", "",
]  # fmt: skip


def chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", check)


def forged(width: int, height: int, data: bytes) -> bytes:
    """A PNG that claims a size, with `data` (compressed) for its pixels."""
    header = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def a_giant() -> bytes:
    """200 megapixels in 25 kB."""
    file = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(file, "PNG", optimize=False)
    return file.getvalue()


def a_small_picture(colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, "PNG")
    return file.getvalue()


# Made when asked for: some take a second.
HOSTILE: dict[str, Callable[[], bytes]] = {
    "200 megapixels": a_giant,
    "claims 3.6 gigapixels": lambda: forged(60_000, 60_000, zlib.compress(b"\0" * 1000)),
    "claims more than there is": lambda: forged(2**31 - 1, 2**31 - 1, b""),
    "unpacks to 500 MB": lambda: forged(100, 100, zlib.compress(bytes(500 * 1024 * 1024), 1)),
    "a text chunk that unpacks to 200 MB": lambda: (
        a_small_picture()[:33]
        + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200 * 1024 * 1024), 1))
        + a_small_picture()[33:]
    ),
    "a script": lambda: b"<script>alert(1)</script>",
    "an SVG with a script": lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "nothing": lambda: b"",
    "40 MB of nothing": lambda: bytes(40 * 1024 * 1024),
}


def upload(guest: Guest, name: str, content: bytes) -> str:
    """What the page says of a file, once it is done with it."""
    file = {"name": name, "type": "image/png", "size": len(content), "last_modified": 0}
    update = {
        "method": "update",
        "state": {"value": [file]},
        "buffer_paths": [["value", 0, "content"]],
    }
    label = guest.widget("LabelModel", _dom_classes=["mathjax_ignore"])
    stage = guest.widget("VBoxModel", _dom_classes=["kezako-choice", "kezako-is-open"])
    guest.touches(guest.widget("FileUploadModel"), update, (content,))
    said = ""

    def ended(message: dict[str, Any]) -> bool:
        nonlocal said
        content = message["content"]
        state = content.get("data", {}).get("state", {})
        if content.get("comm_id") == label:
            said = str(state.get("value", said))
        return content.get("comm_id") == stage and bool(ENDED & {*state.get("_dom_classes", ())})

    guest.hears(ended)
    return said


@pytest.mark.parametrize("case", HOSTILE)
def test_a_sentence_and_the_page_goes_on(the_target: str, case: str) -> None:
    guest = Guest(the_target).arrives().connects()
    said = upload(guest, "photo.png", HOSTILE[case]())
    assert 10 < len(said) < 300
    assert "/" not in said
    assert "Error" not in said
    assert upload(guest, "good.png", a_small_picture()) == "This is red."
    guest.leaves()


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_is_only_text(the_target: str, name: str) -> None:
    guest = Guest(the_target).arrives().connects()
    said = upload(guest, name, b"no picture")
    assert "not a picture" in said
    assert len(said) < 200
    assert upload(guest, name, a_small_picture()) == "This is red."
    guest.leaves()


@pytest.mark.parametrize(
    "value",
    [
        "text", [], [1], [{}], [{"name": 5}], {"a": 1}, [{"content": "text"}], None, [[]],
        [{"name": "a", "content": {"deep": [[]]}}],
    ],
    ids=str,
)  # fmt: skip
def test_an_upload_that_is_none(a_server: str, value: object) -> None:
    guest = Guest(a_server).arrives().connects()
    guest.touches(guest.widget("FileUploadModel"), {"method": "update", "state": {"value": value}})
    assert guest.is_answered()
    assert upload(guest, "good.png", a_small_picture()) == "This is red."
    guest.leaves()


def test_names_of_classes_and_titles_are_only_text(the_target: str) -> None:
    guest = Guest(the_target).arrives("?model=hostile")
    data = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', guest.page, re.S)
    drawn = guest.page
    assert data
    for text in data:
        assert "<" not in text
        drawn = drawn.replace(text, "")
    assert "alert(2)" in drawn, "the title is shown"
    assert "<script>alert" not in drawn
    assert "<img src=x" not in drawn
    guest.leaves()
