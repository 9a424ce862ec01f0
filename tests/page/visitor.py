"""What a visitor does with the page, and sees of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

DEADLINE = 60_000  # milliseconds that a busy machine may take for one step


@dataclass
class Visitor:
    """A person before an open page."""

    page: Page

    def opens(self, address: str) -> Visitor:
        self.page.goto(address, wait_until="commit")
        expect(self.upload).to_be_visible(timeout=DEADLINE)
        return self

    def chooses(self, name: str, content: bytes) -> Visitor:
        """Choose a file, and wait until the page has looked at it."""
        with self.page.expect_file_chooser() as chooser:
            self.upload.click()
        chooser.value.set_files({"name": name, "mimeType": "", "buffer": content})
        expect(self.answer).to_contain_text(name[:10], timeout=DEADLINE)
        return self

    def chooses_photo(self, path: Path) -> Visitor:
        return self.chooses(path.name, path.read_bytes())

    def classifies(self) -> str:
        """Press Classify; the sentence that comes."""
        self.button.click()
        expect(self.bars.first).to_be_visible(timeout=DEADLINE)
        expect(self.button).to_be_enabled(timeout=DEADLINE)
        # Bars and button may still be those of the answer before.
        expect(self.answer).not_to_have_text("Looking …", timeout=DEADLINE)
        return self.sentence

    def says_wrong(self, label: str) -> None:
        """Name the class that it should have been, consent, and send the photo back."""
        self.page.get_by_role("button", name="That’s wrong").click()
        self.page.locator(".kezako-correction select").select_option(label=label)
        self.page.get_by_role("checkbox").check()
        self.page.get_by_role("button", name="Send it back").click()

    @property
    def upload(self) -> Locator:
        return self.page.locator(".widget-upload")

    @property
    def button(self) -> Locator:
        return self.page.get_by_role("button", name="Classify", exact=True)

    @property
    def answer(self) -> Locator:
        return self.page.locator(".kezako > .widget-label")

    @property
    def bars(self) -> Locator:
        return self.page.locator(".kezako-bars li")

    @property
    def picture(self) -> Locator:
        return self.page.locator(".kezako .jp-OutputArea img")

    @property
    def sentence(self) -> str:
        return str(self.answer.inner_text()).strip()
