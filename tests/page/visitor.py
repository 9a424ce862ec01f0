"""What a visitor does with the page, and sees of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

DEADLINE = 60_000  # milliseconds that a busy machine may take for one step
# Whether the page has begun to look at a photo since: it may be done before anybody asks.
WATCH = """() => {
    window.looks = 0;
    if (window.lookout) return;
    window.lookout = new MutationObserver(records => {
        for (const { oldValue, target } of records)
            if (`${oldValue} ${target.className}`.includes("kezako-is-looking")) window.looks++;
    });
    window.lookout.observe(document.body, {
        attributes: true, attributeFilter: ["class"], attributeOldValue: true, subtree: true
    });
}"""
DONE = """() => window.looks && !document.documentElement.dataset.upload
    && !document.querySelector(".kezako-is-looking")"""


@dataclass
class Visitor:
    """A person before an open page."""

    page: Page

    def opens(self, address: str) -> Visitor:
        self.page.goto(address, wait_until="commit")
        expect(self.upload).to_be_visible(timeout=DEADLINE)
        return self

    def chooses(self, name: str, content: bytes) -> Visitor:
        """Choose a file, and wait until the page is done with it."""
        self.page.evaluate(WATCH)
        self.gives(name, content)
        self.page.wait_for_function(DONE, timeout=DEADLINE)
        return self

    def gives(self, name: str, content: bytes) -> None:
        """Choose a file in the dialog, however it is opened at this moment."""
        if self.another.is_visible() and not self.is_light:
            self.another.click()  # clears the page
            expect(self.upload).to_be_visible(timeout=DEADLINE)
        control = self.another if self.another.is_visible() else self.upload
        with self.page.expect_file_chooser() as chooser:
            control.click()
        chooser.value.set_files({"name": name, "mimeType": "", "buffer": content})

    def chooses_photo(self, path: Path) -> Visitor:
        return self.chooses(path.name, path.read_bytes())

    def reads(self) -> str:
        """The answer to the photo that was chosen."""
        expect(self.stage).to_have_class(re.compile("kezako-is-answer"), timeout=DEADLINE)
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
    def is_light(self) -> bool:
        """Whether the page has the light front end."""
        return self.page.locator("html[data-kezako]").count() > 0

    @property
    def stage(self) -> Locator:
        """The element whose classes say what the page is doing."""
        return self.page.locator(".kezako-choice")

    @property
    def button(self) -> Locator:
        return self.page.get_by_role("button", name="Classify", exact=True)

    @property
    def another(self) -> Locator:
        return self.page.get_by_role("button", name="Another photo", exact=True)

    @property
    def answer(self) -> Locator:
        return self.page.locator(".kezako > .widget-label")

    @property
    def bars(self) -> Locator:
        return self.page.locator(".kezako-bars li")

    @property
    def picture(self) -> Locator:
        return self.page.locator(".kezako > .widget-output img")

    @property
    def sentence(self) -> str:
        return str(self.answer.inner_text()).strip()
