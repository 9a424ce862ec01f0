"""The waiting page of a real server: whose it is, what may run on it, and tickets of before."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256

import pytest

from tests.limits.conftest import Host, a_host, a_small_home  # noqa: F401
from tests.limits.guest import Answer, Guest, ask


@pytest.fixture(scope="module")
def a_full_house(a_host: Host) -> Iterator[str]:  # noqa: F811
    with a_host("--visitors", "1", KEZAKO_CAMERA="0") as address:
        yield address


@pytest.fixture
def a_waiting_page(a_full_house: str) -> Iterator[Answer]:
    inside = Guest(a_full_house).arrives()
    page = ask(a_full_house, "?model=colours&more=%22%3E%3Cb%3E")
    yield page
    inside.leaves()
    Guest(a_full_house).arrives(page.again).leaves()  # a ticket in use would keep others out


def test_it_has_the_title_of_the_page(a_waiting_page: Answer) -> None:
    assert a_waiting_page.status == 503
    assert "<title>Which of colours?</title>" in a_waiting_page.text
    assert "<h1>Which of colours?</h1>" in a_waiting_page.text
    assert "<h2>All places are taken</h2>" in a_waiting_page.text


def test_only_its_own_script_may_run(a_waiting_page: Answer) -> None:
    scripts = re.findall(r"<script>(.*?)</script>", a_waiting_page.text, re.DOTALL)
    assert a_waiting_page.text.count("<script") == len(scripts) == 1
    allowed = b64encode(sha256(scripts[0].encode()).digest()).decode()
    policy = a_waiting_page.headers["content-security-policy"]
    assert f"script-src 'sha256-{allowed}';" in policy
    assert "frame-ancestors 'self'" in policy
    assert "<b>" not in a_waiting_page.text


def test_without_scripts_it_looks_again_too(a_waiting_page: Answer) -> None:
    refresh = re.search(r"<noscript>(.*?)</noscript>", a_waiting_page.text)
    assert refresh
    assert 'http-equiv="refresh"' in refresh[1]
    assert "model=colours" in a_waiting_page.again


def test_the_ticket_of_another_server_gets_a_new_one(a_full_house: str) -> None:
    inside = Guest(a_full_house).arrives()
    page = ask(a_full_house, "?model=colours&ticket=of-the-server-before")
    assert page.status == 503
    assert "You are next" in page.text
    assert "of-the-server-before" not in page.again
    inside.leaves()
    Guest(a_full_house).arrives(page.again).leaves()


def test_after_some_visits_it_says_how_long(a_full_house: str) -> None:
    for _ in range(3):
        Guest(a_full_house).arrives().leaves()
    inside = Guest(a_full_house).arrives()
    page = ask(a_full_house)
    assert "That may take about a minute." in page.text
    inside.leaves()
    Guest(a_full_house).arrives(page.again).leaves()


def test_the_camera_can_be_turned_off(a_full_house: str) -> None:
    page = ask(a_full_house)
    assert page.status == 200
    assert "camera=()," in page.headers["permissions-policy"]
    assert re.search(r'"camera":\s*false', page.text)
    Guest(a_full_house, page.kernel).leaves()
