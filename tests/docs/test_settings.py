"""docs/settings.md is what the code says, and the code's defaults are what it says."""

from __future__ import annotations

import runpy
from dataclasses import fields

import pytest

from kezako.api.settings import ApiSettings
from kezako.serve.limits import Limits
from kezako.settings import SETTINGS
from tests.conftest import ROOT

DEFAULTS = {
    **{field.name.upper(): field.default for field in fields(Limits)},
    **{f"API_{field.name.upper()}": field.default for field in fields(ApiSettings)},
}
NUMBERS = {
    name: value
    for name, value in DEFAULTS.items()
    if isinstance(value, int | float) and not isinstance(value, bool)
}


def test_the_page_is_written_anew() -> None:
    page = runpy.run_path(str(ROOT / "scripts" / "settings.py"))["page"]()
    assert (ROOT / "docs" / "settings.md").read_text("utf-8") == page
    assert all(f"`KEZAKO_{name}`" in page for name in SETTINGS)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_default_is_the_codes(name: str) -> None:
    assert float(SETTINGS[name].default.split()[0].rstrip(",")) == NUMBERS[name]
