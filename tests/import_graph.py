"""The import graph of the packages: `python -m tests.import_graph` prints it in figures."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("kezako", "voila_snapshot")


def modules() -> dict[str, ast.Module]:
    """Dotted name -> its syntax tree, for every module of the packages."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
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


def at_import_time(tree: ast.Module) -> ast.Module:
    """The tree without function bodies, which run later; `if TYPE_CHECKING` counts."""

    class Strip(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
            return None

        def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
            return None

    return Strip().visit(ast.parse(ast.unparse(tree)))


def graph() -> dict[str, set[str]]:
    """Module -> the modules of the packages that it imports at import time."""
    return {
        name: {other for other in imported(name, at_import_time(tree)) if other in MODULES} - {name}
        for name, tree in MODULES.items()
    }


def circle() -> list[str]:
    """The modules of one circle of imports; empty where there is none."""
    needed = graph()
    for others in needed.values():
        others.discard("kezako")  # the package itself holds the version and imports nothing
    try:
        tuple(TopologicalSorter(needed).static_order())
    except CycleError as error:
        return list(error.args[1])
    return []


def walks() -> dict[str, int]:
    """The walks of ARCHITECTURE.md -> how many files of the packages each leads through."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.partition("## Three walks")[2].partition("\n## ")[0]
    found = {}
    for title, steps in re.findall(r"\*\*([^*]+)\.\*\*(.*?)(?=\n\*\*|\Z)", section, re.DOTALL):
        found[title] = len({*re.findall(r"`([\w/]+\.py)`", steps)})
    return found


def main() -> None:
    by_folder: dict[str, list[str]] = defaultdict(list)
    for name in MODULES:
        by_folder[".".join(name.split(".")[:2]) if name.count(".") > 1 else name].append(name)
    importers: dict[str, set[str]] = defaultdict(set)
    for name, tree in MODULES.items():
        for other in imported(name, tree):
            importers[other].add(name)
    lines = {
        name: (ROOT / Path(*name.split("."))).with_suffix(".py")
        for name in MODULES
        if (ROOT / Path(*name.split("."))).with_suffix(".py").is_file()
    }
    lone = [name for name in lines if len(importers[name]) == 1]
    small = [name for name in lone if len(lines[name].read_text("utf-8").splitlines()) < 60]
    print(f"{len(lines)} modules in {len(by_folder)} folders and loose files")
    print(f"{len(lone)} are imported by one other module, {len(small)} of them under 60 lines")
    print(f"circle: {' -> '.join(circle()) or 'none'}")
    for title, count in walks().items():
        print(f"{count} files: {title}")


if __name__ == "__main__":
    main()
