"""What hosts install: the page's direct needs, exactly pinned, the same ones everywhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HEAVY = {"torch", "torchvision", "fastai", "onnx", "onnxscript", "matplotlib", "pandas", "scipy"}


@pytest.fixture(scope="module")
def the_pins(the_repository: Path) -> list[str]:
    """The lines of requirements.txt that name a package."""
    return _lines(the_repository / "requirements.txt")


@pytest.fixture(scope="module")
def the_project(the_repository: Path) -> dict[str, Any]:
    return tomllib.loads((the_repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_every_line_is_an_exact_pin_and_the_last_installs_the_package(the_pins: list[str]) -> None:
    assert the_pins[-1] == "-e ."
    for line in the_pins[:-1]:
        assert [given.operator for given in Requirement(line).specifier] == ["=="], line


def test_the_page_needs_no_torch(the_pins: list[str], the_project: dict[str, Any]) -> None:
    direct = {_name(line) for line in [*the_pins[:-1], *the_project["dependencies"]]}
    assert not direct & HEAVY


def test_the_pins_are_the_packages_direct_needs(
    the_pins: list[str], the_project: dict[str, Any]
) -> None:
    needs = {_name(line): Requirement(line) for line in the_project["dependencies"]}
    assert {_name(line) for line in the_pins[:-1]} == set(needs)
    for line in the_pins[:-1]:
        version = next(iter(Requirement(line).specifier)).version
        assert version in needs[_name(line)].specifier, line


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.14"])
def test_each_python_gets_each_package_once(
    the_pins: list[str], the_project: dict[str, Any], python: str
) -> None:
    environment = {"python_version": python}

    def chosen(lines: list[str]) -> list[str]:
        return sorted(
            _name(line)
            for line in lines
            if not (marker := Requirement(line).marker) or marker.evaluate(environment)
        )

    assert chosen(the_pins[:-1]) == chosen(the_project["dependencies"])


def test_binder_installs_the_same_pins(the_repository: Path, the_pins: list[str]) -> None:
    assert _lines(the_repository / "binder" / "requirements.txt") == the_pins[:-1]
    post_build = the_repository / "binder" / "postBuild"
    assert "pip install --no-cache-dir --no-deps -e ." in post_build.read_text()
    assert post_build.stat().st_mode & 0o111


def test_hosts_run_the_python_that_is_tested(the_repository: Path) -> None:
    version = (the_repository / ".python-version").read_text().strip()
    assert re.fullmatch(r"3\.\d+", version)
    assert (the_repository / "binder" / "runtime.txt").read_text().strip() == f"python-{version}"


def test_the_commit_hooks_run_the_tools_that_the_tests_run(
    the_repository: Path, the_project: dict[str, Any]
) -> None:
    hooks = (the_repository / ".pre-commit-config.yaml").read_text()
    pinned = {line.split("#")[0].strip() for line in the_project["optional-dependencies"]["dev"]}
    used = set(re.findall(r'"((?:ruff|nbstripout)==[^"]+)"', hooks))
    assert {line.split("==")[0] for line in used} == {"ruff", "nbstripout"}
    assert used <= pinned


def _lines(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _name(line: str) -> str:
    return canonicalize_name(Requirement(line).name)
