"""What a maker does with the cleaner, and sees of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect

_STATE = re.compile(r"kz-(?:keep|delete|move)\b")


@dataclass
class Maker:
    """A person before the open cleaner."""

    page: Page

    def opens(self, address: str, name: str) -> Maker:
        self.page.goto(f"{address}?{urlencode({'name': name})}", wait_until="commit")
        expect(self.thumbnail(0)).to_be_visible()
        return self

    def chooses_class(
        self,
        name: str | None,  # None: all
    ) -> Maker:
        menu = self.page.locator(".kz-class-menu select")
        menu.select_option(label=self._option(menu, name or "all"))
        if name:  # each picture's class is what the kernel sends last of it
            others = re.compile(rf"^(?!{re.escape(name)}$)")
            shown = self.page.locator(".kz-class:visible b")
            expect(shown.filter(has_text=others)).to_have_count(0)
        return self

    def shows(self, what: str) -> Maker:
        self.page.locator(".kz-shown-menu select").select_option(value=what)
        return self

    def keeps(self, index: int) -> Maker:
        self.thumbnail(index).get_by_role("button", name="Keep").click()
        return self._waits(index, "kz-keep")

    def deletes(self, index: int) -> Maker:
        was = self._state(index)
        self.thumbnail(index).get_by_role("button", name="Delete").click()
        return self._waits(index, "" if was == "kz-delete" else "kz-delete")

    def moves(self, index: int, name: str) -> Maker:
        menu = self.thumbnail(index).locator("select")
        menu.select_option(label=self._option(menu, name))
        return self._waits(index, "kz-move")

    def accepts(self, index: int) -> Maker:
        self.thumbnail(index).get_by_role("button", name="Accept").click()
        return self._waits(index, "kz-keep")

    def presses(self, name: str) -> Maker:
        self.button(name).click()
        return self

    def sees(self, states: list[str]) -> None:
        """Wait until the pictures shown are marked so: "", kz-keep, kz-delete or kz-move each."""
        expect(self.page.locator(".kz-thumbnail:visible")).to_have_count(len(states))
        for index, state in enumerate(states):
            self._waits(index, state)

    def thumbnail(self, index: int) -> Locator:
        return self.page.locator(".kz-thumbnail").nth(index)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def shown(self) -> int:
        return self.page.locator(".kz-thumbnail:visible").count()

    @property
    def notice(self) -> Locator:
        return self.page.locator(".kz-notice")

    @property
    def counts(self) -> Locator:
        return self.page.locator(".kz-actions p")

    @property
    def classes(self) -> Locator:
        return self.page.locator(".kz-class-menu option")

    @property
    def page_number(self) -> Locator:
        return self.page.get_by_text(re.compile(r"^Page \d+ of \d+$"))

    def _waits(self, index: int, state: str) -> Maker:
        thumbnail = self.thumbnail(index)
        if state:
            expect(thumbnail).to_have_class(re.compile(rf"\b{state}\b"))
        else:
            expect(thumbnail).not_to_have_class(_STATE)
        return self

    def _state(self, index: int) -> str:
        found = _STATE.search(self.thumbnail(index).get_attribute("class") or "")
        return found[0] if found else ""

    def _option(self, menu: Locator, name: str) -> str:
        # Options read like "2 green" or "green (6)", with no-break spaces.
        texts = menu.locator("option").all_inner_texts()
        return next(text for text in texts if name in re.split(r"\s", text))
