"""One bad address, picture, archive or host never ends a gathering, nor the next one."""

from __future__ import annotations

import zipfile
from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from kezako.gather import fetch, gather, sources
from kezako.gather.check import Checked, Reject
from kezako.gather.check_pool import Checkers
from kezako.gather.settings import Settings
from kezako.recipe import Recipe
from kezako.workspace import Workspace
from tests.gather.saved import jpeg, rows_of
from tests.gather.searching import search
from tests.standin import Standin

EMOJI = "http://xn--ls8h.la/no-such.jpg"  # no name by the rules, and a domain that exists


def test_the_classes_behind_a_bad_address_are_gathered_now_and_later(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings, drawn_standin: Standin
) -> None:
    drawn_standin.play("leads.test", redirect="https://pictures.test:99999999/x.jpg")
    drawn_standin.play("odd.test", raw=b"\x00 no HTTP")
    bad = [EMOJI, "https://leads.test/x.jpg", "http://odd.test/x.jpg"]
    drawn_standin.offer("round shape", [*bad, *drawn_standin.urls("round shape", 12)])
    summary = gather(shapes, workspace, ["openverse"], drawn_settings)
    assert summary.kept == {"round": 12, "square": 12}
    rows = {row.url: row for row in rows_of(workspace, "shapes", folder="round")}
    assert {url: rows[url].reason for url in bad[:2]} == {
        EMOJI: "not found: 404",
        "https://leads.test/x.jpg": "no address: there is no port 99999999",
    }
    assert str(rows[bad[2]].reason).startswith("cut off: ")
    assert all(rows[url].status in ("broken", "refused") for url in bad)
    asked = len(drawn_standin.requests)
    assert gather(shapes, workspace, ["openverse"], drawn_settings).added == 0
    assert len(drawn_standin.requests) == asked


def test_a_row_that_brings_a_fault_about_has_it_for_its_reason(
    workspace: Workspace,
    shapes: Recipe,
    drawn_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked: list[bytes] = []
    check = Checkers.check

    async def clumsy(self: Checkers, data: bytes, least: int) -> Checked | Reject:
        checked.append(data)
        if len(checked) == 3:
            raise RecursionError("a fault")
        return await check(self, data, least)

    monkeypatch.setattr(Checkers, "check", clumsy)
    summary = gather(shapes, workspace, ["openverse"], drawn_settings)
    assert summary.kept == {"round": 12, "square": 12}
    assert sum(summary.reasons.values(), Counter())["failed"] == 1
    (row,) = rows_of(workspace, "shapes", status="broken")
    assert row.reason == "failed: RecursionError: a fault"


def test_one_archive_that_cannot_be_opened_hides_no_other(
    workspace: Workspace, shapes: Recipe, drawn_settings: Settings
) -> None:
    saved = workspace.folder("shapes") / "saved"
    saved.mkdir(parents=True)
    for name in ("a", "b"):
        with zipfile.ZipFile(saved / f"{name}.zip", "w") as box:
            for folder in ("round", "square"):
                box.writestr(f"{folder}/{name}.jpg", jpeg(ord(name) + 1000 * (folder == "round")))
    few = replace(shapes, pictures_per_class=1)
    gather(few, workspace, ["zip"], drawn_settings)
    (saved / "b.zip").write_bytes(b"damaged")
    summary = gather(shapes, workspace, ["zip", "openverse"], drawn_settings)
    assert summary.kept == {"round": 12, "square": 12}
    assert any("b.zip is neither a folder nor a zip file" in note for note in summary.notes)
    mine = rows_of(workspace, "shapes", source="zip")
    assert {row.title for row in mine if row.status == "kept"} == {"a.jpg"}
    assert {row.status for row in mine if row.title == "b.jpg"} == {"broken"}


def test_a_source_that_yields_no_addresses_is_said(
    workspace: Workspace,
    shapes: Recipe,
    drawn_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sources, "_registry", dict(sources._registry))

    @sources.register("plain")
    class Plain:
        name = "plain"
        cannot_filter = ()

        def __init__(self, settings: Settings):
            pass

        def search(self, query: str, limit: int) -> list[str]:
            return ["https://pictures-0.test/1.jpg"]

    summary = gather(shapes, workspace, ["plain", "openverse"], drawn_settings)
    assert summary.kept == {"round": 12, "square": 12}
    assert any("is no Found" in note for note in summary.notes)


def test_a_host_that_keeps_silent_is_left(
    workspace: Workspace,
    shapes: Recipe,
    drawn_settings: Settings,
    drawn_standin: Standin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetch, "Limits", partial(fetch.Limits, silence=2.0, whole=4.0))
    drawn_standin.play("pit.test", hang=True)
    drawn_standin.play("drip.test", drip=0.1)
    pits = [f"https://{host}.test/{n}.jpg" for n in range(60) for host in ("pit", "drip")]
    drawn_standin.offer("round shape", [*pits, *drawn_standin.urls("round shape", 12)])
    summary = gather(
        replace(shapes, pictures_per_class=130), workspace, ["openverse"], drawn_settings
    )
    assert summary.kept["round"] == 12
    silent = [
        row.reason
        for row in rows_of(workspace, "shapes")
        if "its host was silent" in str(row.reason)
    ]
    assert len(silent) > 80
    assert drawn_standin.count("drip.test") < 25


def test_a_host_that_answers_now_and_then_is_not_left(
    drawn_settings: Settings, drawn_standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    async def as_it_is(data: bytes) -> bytes:
        return data

    async def one_by_one() -> list[bytes | Reject]:
        limits = fetch.Limits(silence=0.2, whole=2.0, waits=(), silences=2)
        async with fetch.Fetcher(drawn_settings, limits=limits) as fetcher:
            return [await fetcher.fetch(f"https://{host}", as_it_is) for host in addresses]

    drawn_standin.play("slow.test", path="/hang", hang=True)
    paths = ["/hang", "/drawn/x/00001.jpg", "/hang", "/drawn/x/00002.jpg", "/hang", "/no", "/hang"]
    addresses = [f"slow.test{path}" for path in paths]
    outcomes = asyncio.run(one_by_one())
    assert [isinstance(each, bytes) for each in outcomes] == [
        False,
        True,
        False,
        True,
        *[False] * 3,
    ]
    assert not [each for each in outcomes if "its host" in str(each)]


@pytest.mark.parametrize("name", ["duckduckgo", "ddgs", "openverse", "wikimedia"])
def test_a_search_that_drips_ends(
    drawn_settings: Settings, drawn_standin: Standin, name: str
) -> None:
    drawn_standin.play("*", drip=0.05)
    found, stopped = search(name, replace(drawn_settings, timeout=1))
    assert not found
    assert stopped
    assert stopped.kind == "broken"
