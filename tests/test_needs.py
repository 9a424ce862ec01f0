"""A test is skipped in one way only, which continuous integration takes for a failure."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.needs import must_be_there, needs, needs_package

TESTS = Path(__file__).parent
WAYS = ("skip", "skipif", "importorskip", "xfail", "exit")


@pytest.mark.parametrize(
    ("environment", "fails"),
    [({}, False),
     ({"CI": ""}, False),
     ({"CI": "false"}, False),
     ({"CI": "true"}, True),
     ({"CI": "1", "TESTS_WITHOUT": "photographs"}, True),
     ({"CI": "true", "TESTS_WITHOUT": "photographs, a thing"}, False)],
)  # fmt: skip
def test_what_is_missing(
    environment: dict[str, str], fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CI", "TESTS_WITHOUT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    needs("a thing", True)
    assert must_be_there("a thing") is fails
    kind = pytest.fail.Exception if fails else pytest.skip.Exception
    with pytest.raises(kind, match=r"a thing is missing here \(gone\)"):
        needs("a thing", None, "gone")


def test_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    assert needs_package("json").loads("1") == 1
    monkeypatch.setenv("CI", "true")
    monkeypatch.delenv("TESTS_WITHOUT", raising=False)
    with pytest.raises(pytest.fail.Exception, match="TESTS_WITHOUT='kezako_nowhere'"):
        needs_package("kezako_nowhere")


def test_no_test_is_skipped_in_another_way() -> None:
    found = []
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in WAYS:
                owner = ast.unparse(node.value)
                if owner in ("pytest", "pytest.mark"):
                    found.append(f"{path.relative_to(TESTS)}:{node.lineno}")
    places = {place.partition(":")[0] for place in found}
    assert places == {"needs.py", "test_needs.py"}, found
