"""Every control of ipywidgets works, so that a maker can rearrange the notebook at will."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import a_screen
from tests.frontend import controls
from tests.frontend.conftest import PHONE, light_voila

pytestmark = pytest.mark.browser

SETTLED = "data-kezako"


@pytest.fixture(scope="module")
def the_controls(a_browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One open page with all of them; each test leaves it alive for the next."""
    home = tmp_path_factory.mktemp("controls")
    for address in light_voila(controls.write(home), home):
        for page in a_screen(a_browser, viewport=PHONE):
            page.goto(address)
            expect(page.locator("html")).to_have_attribute(SETTLED, "live")
            yield page


def says(page: Page, sentence: str) -> None:
    expect(page.locator(".widget-label[aria-live]").first).to_have_text(sentence)


def field(page: Page, name: str) -> Locator:
    return page.get_by_label(name, exact=True)


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("Text", "grüß", "'grüß'"),
        ("Textarea", "two\nlines", r"'two\nlines'"),
        ("Password", "secret", "'secret'"),
        ("Combobox", "two", "'two'"),
        ("IntText", "42", "42"),
        ("BoundedIntText", "12", "9"),
        ("FloatText", "-2.25", "-2.25"),
        ("BoundedFloatText", "1.75", "1.75"),
    ],
)
def test_fields(the_controls: Page, name: str, typed: str, value: str) -> None:
    field(the_controls, name).fill(typed)
    field(the_controls, name).press("Tab")
    says(the_controls, f"{name}: {value}")


def test_what_the_kernel_made_of_it_is_shown(the_controls: Page) -> None:
    field(the_controls, "BoundedIntText").fill("77")
    field(the_controls, "BoundedIntText").press("Tab")
    expect(field(the_controls, "BoundedIntText")).to_have_value("9")


def test_boxes_and_toggles(the_controls: Page) -> None:
    field(the_controls, "Checkbox").check()
    says(the_controls, "Checkbox: True")
    the_controls.get_by_role("button", name="ToggleButton", exact=True).click()
    says(the_controls, "ToggleButton: True")


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("IntSlider", "ArrowRight", "4"),
        ("FloatSlider", "End", "1.0"),
        ("FloatLogSlider", "End", "10000.0"),
        ("IntRangeSlider, to", "End", "(2, 10)"),
        ("FloatRangeSlider, from", "Home", "(0.0, 0.8)"),
        ("SelectionSlider", "End", "'three'"),
        ("SelectionRangeSlider, to", "End", "('one', 'three')"),
    ],
)
def test_sliders(the_controls: Page, name: str, key: str, value: str) -> None:
    slider = the_controls.get_by_role("slider", name=name, exact=True).first
    slider.press(key)
    says(the_controls, f"{name.partition(',')[0]}: {value}")


def test_a_slider_can_be_typed_into(the_controls: Page) -> None:
    readout = field(the_controls, "IntRangeSlider, as text")
    readout.fill("3 – 7")
    readout.press("Enter")
    says(the_controls, "IntRangeSlider: (3, 7)")


def test_choices(the_controls: Page) -> None:
    page = the_controls
    field(page, "Dropdown").select_option("two")
    says(page, "Dropdown: 'two'")
    page.get_by_role("radio", name="three").check()
    says(page, "RadioButtons: 'three'")
    field(page, "Select").select_option("three")
    says(page, "Select: 'three'")
    field(page, "SelectMultiple").select_option(["one", "three"])
    says(page, "SelectMultiple: ('one', 'three')")
    page.get_by_role("group", name="ToggleButtons").get_by_role("button", name="two").click()
    says(page, "ToggleButtons: 'two'")


def test_moments_and_colours(the_controls: Page) -> None:
    page = the_controls
    field(page, "DatePicker").fill("2025-12-31")
    says(page, "DatePicker: datetime.date(2025, 12, 31)")
    field(page, "TimePicker").fill("23:59")
    says(page, "TimePicker: datetime.time(23, 59)")
    field(page, "NaiveDatetimePicker").fill("2025-12-31T23:59")
    says(page, "NaiveDatetimePicker: datetime.datetime(2025, 12, 31, 23, 59)")
    field(page, "ColorPicker, as text").fill("#00ff00")
    field(page, "ColorPicker, as text").press("Tab")
    says(page, "ColorPicker: '#00ff00'")


def test_lists(the_controls: Page) -> None:
    page = the_controls
    field(page, "Add to TagsInput").fill("b")
    field(page, "Add to TagsInput").press("Enter")
    says(page, "TagsInput: ['a', 'b']")
    field(page, "Add to TagsInput").fill("not allowed")
    field(page, "Add to TagsInput").press("Enter")
    expect(field(page, "Add to TagsInput")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("group", name="ColorsInput").get_by_role("button", name="Remove red").click()
    says(page, "ColorsInput: []")
    field(page, "Add to IntsInput").fill("7")
    field(page, "Add to IntsInput").press("Enter")
    says(page, "IntsInput: [1, 7]")


def test_what_only_shows(the_controls: Page) -> None:
    page = the_controls
    expect(page.get_by_role("progressbar").first).to_have_attribute("aria-valuenow", "30")
    expect(page.get_by_role("img", name="Valid")).to_be_visible()
    expect(page.locator(".widget-html b")).to_have_text("HTML")
    expect(page.get_by_text("Connect a gamepad")).to_be_visible()
    for words in ("grid", "left", "right", "centre", "corner", "above"):
        expect(page.get_by_text(words, exact=True)).to_be_visible()
    expect(page.get_by_text("below", exact=True)).to_have_count(0)


def test_links_work_on_the_page(the_controls: Page) -> None:
    the_controls.get_by_role("slider", name="Source").press("End")
    expect(field(the_controls, "Target")).to_have_value("100")
    field(the_controls, "Target").fill("50")
    field(the_controls, "Target").press("Tab")
    expect(the_controls.get_by_role("slider", name="Source")).to_have_value("50")


def test_playing_counts_to_its_end(the_controls: Page) -> None:
    the_controls.get_by_role("button", name="Play").click()
    expect(field(the_controls, "Counted")).to_have_value("3")
    expect(the_controls.get_by_role("button", name="Play")).to_be_visible()


def test_tabs_and_folds(the_controls: Page) -> None:
    page = the_controls
    page.get_by_role("tab", name="First").press("ArrowRight")
    says(page, "Tab: 1")
    expect(page.get_by_text("second page")).to_be_visible()
    expect(page.get_by_text("first page")).to_be_hidden()
    page.get_by_role("button", name="Fold").click()
    says(page, "Accordion: 0")
    expect(page.get_by_text("folded")).to_be_visible()


def test_an_output_takes_what_is_printed(the_controls: Page) -> None:
    page = the_controls
    page.get_by_role("button", name="Print").click()
    output = page.locator(".widget-output")
    expect(output.locator("pre")).to_have_text("one line\nanother line\n")
    expect(output.get_by_text("a widget inside")).to_be_visible()


def test_an_error_shows_a_sentence_and_no_traceback(the_controls: Page) -> None:
    page = the_controls
    page.get_by_role("button", name="Break").click()
    expect(page.locator(".widget-output .kezako-error")).to_have_text("Something went wrong here.")
    text = page.locator("body").inner_text()
    assert "Traceback" not in text
    assert "secret" not in text


def test_cells_are_drawn(the_controls: Page) -> None:
    page = the_controls
    expect(page.get_by_role("heading", level=1)).to_contain_text("Controls")
    expect(page.get_by_role("cell", name="2")).to_be_visible()
    expect(page.get_by_text("printed <b> 2")).to_be_visible()
    expect(page.get_by_text("The log of the server says what.")).to_be_visible()
    assert "RuntimeError" not in page.content()


def test_nothing_is_wider_than_a_phone(the_controls: Page) -> None:
    assert the_controls.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
