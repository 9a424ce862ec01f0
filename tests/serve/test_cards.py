"""Cards and covers are read once, and again when a bundle changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kezako.model.bundle import COVER, amend, list_bundles, read_card, write_card
from kezako.serve.cards import LARGEST, Cards
from tests.page.photos import drawn

Bundles = Callable[..., Path]


@pytest.fixture
def cards(tmp_path: Path, a_bundle: Bundles) -> Cards:
    a_bundle(tmp_path, "bees", ("a", "b"))
    a_bundle(tmp_path, "ants", ("a", "b"))
    a_bundle(tmp_path, "starter", ("a", "b"))
    return Cards(tmp_path, lambda: list_bundles(tmp_path))


def test_a_changed_card_is_read_again(cards: Cards, tmp_path: Path) -> None:
    first = cards.card("ants")
    assert first
    assert first is cards.card("ants")
    write_card(tmp_path / "ants", replace(read_card(tmp_path / "ants"), title="Another title"))
    changed = cards.card("ants")
    assert changed
    assert changed.title == "Another title"


def test_a_cover_comes_with_its_size(cards: Cards, tmp_path: Path) -> None:
    assert cards.cover("ants") is None
    picture = drawn(size=(120, 63))
    amend(tmp_path / "ants", {COVER: picture})
    cover = cards.cover("ants")
    assert cover
    assert (cover.content, cover.width, cover.height) == (picture, 120, 63)
    amend(tmp_path / "ants", {COVER: drawn(size=(12, 6))})
    changed = cards.cover("ants")
    assert changed
    assert (changed.width, changed.height) == (12, 6)
    assert changed.version != cover.version


@pytest.mark.parametrize("content", [b"no picture", drawn("PNG"), bytes(LARGEST + 1)])
def test_a_file_that_is_no_cover_is_left_out(cards: Cards, tmp_path: Path, content: bytes) -> None:
    amend(tmp_path / "ants", {COVER: content})
    assert cards.cover("ants") is None
    assert cards.card("ants")


def test_a_cover_that_was_exchanged_is_left_out(cards: Cards, tmp_path: Path) -> None:
    amend(tmp_path / "ants", {COVER: drawn()})
    (tmp_path / "ants" / COVER).write_bytes(drawn(size=(10, 10)))
    assert cards.cover("ants") is None
    assert cards.card("ants")


def test_what_the_page_opens_without_being_asked(
    cards: Cards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KEZAKO_MODEL", raising=False)
    assert cards.default() == "ants"
    monkeypatch.setenv("KEZAKO_MODEL", "bees")
    assert cards.default() == "bees"
    monkeypatch.setenv("KEZAKO_MODEL", "wasps")
    assert cards.default() == "ants"
    (tmp_path / "ants" / "card.json").write_text("{}")
    os.utime(tmp_path / "ants" / "card.json", (1, 1))
    assert cards.default() == "bees", "a card that cannot be read is passed over"
