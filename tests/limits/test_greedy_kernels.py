"""A kernel that eats memory or time ends with a sentence; errors reach the log, not the page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.limits.guest import Guest, ask
from tests.limits.makers import write_notebook
from tests.servers import serving, until


@pytest.fixture(scope="module")
def a_makers_page(tmp_path_factory: pytest.TempPathFactory, a_small_home: Path) -> Iterator[str]:
    home = tmp_path_factory.mktemp("maker")
    shutil.copytree(a_small_home / "models", home / "models")
    write_notebook(home)
    for address in serving(
        ["-m", "kezako", "serve", "--no-browser", "--port", "{port}"],
        home, "healthz", KEZAKO_KERNEL_MEMORY="150000000", KEZAKO_BUSY="3",
    ):  # fmt: skip
        until(lambda: ask(address, "healthz").status == 200, "The page is not ready.")  # noqa: B023
        yield address


@pytest.mark.parametrize("greed", ["spin", "eat"])
def test_a_greedy_kernel_is_ended_with_a_sentence(a_makers_page: str, greed: str) -> None:
    guest = Guest(a_makers_page).arrives().connects()
    guest.presses(greed)
    code, said = guest.is_dismissed()
    assert (code, "too much memory or time" in said) == (4413, True)
    assert guest.is_gone()


def test_a_kernel_that_dies_ends_its_page_with_a_sentence(a_makers_page: str) -> None:
    guest = Guest(a_makers_page).arrives().connects()
    guest.presses("end")
    assert guest.is_dismissed()[0] == 4410
    until(guest.is_gone, "The place is still taken.")


def everything(guest: Guest, press: str) -> str:
    """All that the page is told about one press, as text."""
    ident = guest.presses(press)
    heard: list[str] = []

    def is_the_end(message: dict[str, Any]) -> bool:
        heard.append(str(message))
        parent, content = message["parent_header"], message["content"]
        return parent.get("msg_id") == ident and content.get("execution_state") == "idle"

    guest.hears(is_the_end)
    return "\n".join(heard)


@pytest.mark.parametrize("press", ["fail", "warn"])
def test_no_traceback_and_no_path_reaches_a_page(a_makers_page: str, press: str) -> None:
    guest = Guest(a_makers_page).arrives().connects()
    heard = everything(guest, press)
    assert "/srv/secret" not in heard
    assert "Traceback" not in heard
    assert ("said aloud" in heard) is (press == "warn")
    guest.leaves()


def test_a_page_for_others_goes_on_beside_a_greedy_one(
    a_makers_page: str, a_bundle: Callable[..., Path]
) -> None:
    greedy = Guest(a_makers_page).arrives().connects()
    other = Guest(a_makers_page).arrives().connects()
    greedy.presses("spin")
    assert other.is_answered()
    greedy.leaves()
    other.leaves()
