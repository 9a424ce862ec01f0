"""Which test files `pytest --fast` leaves out: with torch, Ray, a browser or servers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.import_graph import MODULES, at_import_time, imported

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "torchvision", "fastai", "ray", "playwright", "selenium"}
SERVERS = {"tests.servers", "tests.standin", "tests.standin.server"}  # start them


def is_heavy(path: Path) -> bool:
    """Whether a test file, or its folder's fixtures, import what is HEAVY, directly or not."""
    if _heavy(_name(path)):
        return True
    fixtures = path.parent / "conftest.py"
    if path.parent == ROOT / "tests" or path == fixtures or not fixtures.is_file():
        return False
    # What a fixture imports only when it is asked for is imported by who asks, too.
    tree = at_import_time(_parsed(fixtures))
    tree.body = [node for node in tree.body if not isinstance(node, ast.If)]  # for types alone
    return any(map(_heavy, _of_a_test(tree)))


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@cache
def _heavy(module: str) -> bool:
    seen, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name.split(".")[0] in HEAVY or name in SERVERS:
            return True
        waiting += _imports(name)
    return False


@cache
def _imports(module: str) -> tuple[str, ...]:
    """What is imported where `module` is; a test's functions count, those of a package do not."""
    parts = module.split(".")
    packages = [".".join(parts[:n]) for n in range(1, len(parts))]
    if module in MODULES:
        return (*packages, *imported(module, at_import_time(MODULES[module])))
    if parts[0] != "tests":
        return ()
    path = (ROOT / Path(*parts)).with_suffix(".py")
    return tuple(_of_a_test(_parsed(path))) if path.is_file() else ()


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _of_a_test(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
