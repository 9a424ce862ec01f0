"""Who may import whom: the boundaries between the stages hold, and the page needs no torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "kezako"
STAGES = {"gather", "train", "clean", "bring", "serve", "scale", "batch", "deploy"}
# Beyond the shared modules.
ALLOWED = {
    "clean": {"train"},
    "bring": {"train"},
    "scale": {"batch"},
    "doctor": STAGES,
    "cli": STAGES,
    "__main__": {"cli"},
}
HEAVY = ("torch", "torchvision", "fastai")


def modules() -> dict[str, ast.Module]:
    """Dotted name -> its syntax tree, for every module of the package."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


MODULES = modules()


def imported(name: str, tree: ast.AST) -> Iterator[str]:
    """The modules that `name` imports, wherever in it the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively; write the whole name"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)


def part(name: str) -> str:
    """The first level below the package: a stage, or a shared module."""
    return [*name.split("."), ""][1]


def at_import_time(tree: ast.Module) -> ast.Module:
    """The tree without function bodies and `if TYPE_CHECKING`, which run later or never."""

    class Strip(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
            return None

        def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
            return None

        def visit_If(self, node: ast.If) -> ast.AST | None:
            return None if "TYPE_CHECKING" in ast.unparse(node.test) else self.generic_visit(node)

    return Strip().visit(ast.parse(ast.unparse(tree)))


def test_the_parts_are_where_the_design_says() -> None:
    assert {"recipe", "workspace", "manifest", "bundle", "classifier", "page", "cli"} <= {
        part(name) for name in MODULES
    }


@pytest.mark.parametrize("name", MODULES)
def test_no_stage_imports_another(name: str) -> None:
    own = part(name)
    forbidden = (STAGES | {"cli"}) - {own} - ALLOWED.get(own, set())
    crossed = {other for other in imported(name, MODULES[name]) if other.startswith("kezako.")}
    assert not {other for other in crossed if part(other) in forbidden}


def test_imports_make_no_circle() -> None:
    graph = {
        name: {other for other in imported(name, at_import_time(tree)) if other in MODULES} - {name}
        for name, tree in MODULES.items()
    }
    for needed in graph.values():
        needed.discard("kezako")  # the package itself holds the version and imports nothing
    assert set(TopologicalSorter(graph).static_order()) >= set(MODULES)  # raises on a circle


def test_the_package_itself_imports_nothing() -> None:
    assert not list(imported("kezako", MODULES["kezako"]))


def test_what_serves_or_starts_a_training_imports_no_torch() -> None:
    light = [name for name in MODULES if part(name) in ("classifier", "page", "serve", "report")]
    code = (
        "import importlib, sys\n"
        f"for name in {['kezako.cli', *light]!r}:\n"
        "    importlib.import_module(name)\n"
        f"    heavy = sorted(set({HEAVY!r}) & set(sys.modules))\n"
        "    assert not heavy, (name, heavy)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    "name", [name for name in MODULES if part(name) in ("classifier", "page", "serve", "bundle")]
)
def test_what_serves_names_no_torch(name: str) -> None:
    roots = {other.split(".")[0] for other in imported(name, MODULES[name])}
    assert not roots & set(HEAVY)
