"""A page whose script does not come says so, after a while and without any script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.servers import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENCE = 10_000  # milliseconds before the page says anything


@pytest.fixture(scope="module")
def a_served_page(
    tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]
) -> Iterator[str]:
    home = tmp_path_factory.mktemp("scriptless")
    a_bundle(home / "models", "colours", ("red", "green", "blue"))
    yield from serving(["-m", "kezako", "serve", "--no-browser", "--port", "{port}"], home)


def shown_after(page: Page) -> float:
    """Milliseconds from the first paint to the end of the animation that shows the sentence."""
    return float(
        page.locator("#kezako-late p").evaluate(
            """async late => {
              const [animation] = late.getAnimations();
              await animation.finished;
              return animation.effect.getComputedTiming().endTime;
            }"""
        )
    )


def test_a_blocked_script_is_told(a_served_page: str, a_phone: Page) -> None:
    a_phone.route("**/static/*.js", lambda route: route.abort())
    a_phone.goto(a_served_page, wait_until="commit")
    late = a_phone.get_by_role("status").filter(has_text="its script did not arrive")
    expect(a_phone.locator("#kezako-late p")).to_be_hidden()
    assert shown_after(a_phone) == PATIENCE
    expect(late.locator("p")).to_be_visible()
    box = late.locator("p").bounding_box()
    assert box
    assert box["width"] <= 390
    assert box["y"] + box["height"] <= 844, "it is in sight"


def test_a_slow_script_is_waited_for(a_served_page: str, a_phone: Page) -> None:
    held: list[Route] = []
    a_phone.route("**/static/*.js", lambda route: held.append(route))
    a_phone.goto(a_served_page, wait_until="commit")
    late = a_phone.locator("#kezako-late p")
    assert shown_after(a_phone) == PATIENCE
    expect(late).to_be_visible()
    for route in held:
        route.continue_()
    a_phone.unroute("**/static/*.js")
    expect(a_phone.locator("html")).to_have_attribute("data-kezako", "live")
    expect(late).to_be_hidden()
    a_phone.close(run_before_unload=True)


def test_a_page_that_works_never_says_it(a_served_page: str, a_phone: Page) -> None:
    a_phone.goto(a_served_page)
    expect(a_phone.locator("html")).to_have_attribute("data-kezako", "live")
    late = a_phone.locator("#kezako-late p")
    expect(late).to_be_hidden()
    assert late.evaluate("late => late.getAnimations().length") == 0
    a_phone.close(run_before_unload=True)
