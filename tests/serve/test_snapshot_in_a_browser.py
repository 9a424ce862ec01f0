"""Voilà's own page, with the front end that it ships, works on forked kernels."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.page.visitor import Visitor
from tests.serve.served import Served, served

pytestmark = pytest.mark.browser


@pytest.fixture
def a_page(tmp_path: Path, the_repository: Path, a_bundle: Callable[..., Path]) -> Iterator[Served]:
    a_bundle(tmp_path / "models", "colours", ("red", "green", "blue"))
    shutil.copy(the_repository / "notebooks" / "app.ipynb", tmp_path)
    with served(tmp_path / "app.ipynb", KEZAKO_HOME=str(tmp_path), TEST_QUERIES="") as server:
        yield server


def test_a_photo_gets_its_label_twice(a_page: Served, a_phone: Page, tmp_path: Path) -> None:
    visitor = Visitor(a_phone).opens(a_page.address)
    for colour in ("red", "blue"):
        path = tmp_path / f"{colour}.png"
        Image.new("RGB", (300, 200), colour).save(path)
        assert visitor.chooses_photo(path).reads() == f"This is {colour}."
    assert len(a_page.forks()) == 2  # the visitor's and a spare
