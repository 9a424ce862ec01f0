"""The built files are what `frontend/` is built into."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.needs import needs
from voila_snapshot import template

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "frontend"
BUILT = template.FOLDER / "voila" / "templates" / template.NAME
OURS = {"conf.json", "index.html.j2", "cells.html.j2"}  # written by hand


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_built_files_are_of_these_sources() -> None:
    names = [path.relative_to(SOURCE).as_posix() for path in (SOURCE / "src").rglob("*.*")]
    total = hashlib.sha256()
    for name in sorted([*names, "build.mjs", "package.json", "package-lock.json"]):
        total.update(f"{name}\0".encode() + (SOURCE / name).read_bytes() + b"\0")
    built = json.loads((BUILT / "built.json").read_text("utf-8"))
    assert built["sources"] == total.hexdigest(), "run: cd frontend && npm ci && npm run build"
    assert built["scripts"]
    assert all((BUILT / "static" / script).is_file() for script in built["scripts"])


def test_building_again_changes_nothing(tmp_path: Path) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    needs("Node.js", npm and node)
    assert npm
    assert node
    copy = tmp_path / "frontend"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run(
        [npm, "ci"], cwd=copy, capture_output=True, text=True, timeout=240, check=False
    )
    needs("npm's registry", not installed.returncode, installed.stderr[-300:])
    again = tmp_path / "template"
    again.mkdir()
    subprocess.run([node, "build.mjs", os.fspath(again)], cwd=copy, check=True, timeout=60)
    committed = {name: data for name, data in files(BUILT).items() if name not in OURS}
    assert files(again) == committed


def test_no_registry_is_named() -> None:
    assert '"resolved"' not in (SOURCE / "package-lock.json").read_text("utf-8")
    assert not any(b"://" in line for line in (SOURCE / ".npmrc").read_bytes().splitlines())


def test_nothing_is_fetched_from_elsewhere() -> None:
    for name, content in files(BUILT).items():
        for host in (b"https://", b"//cdn", b"unpkg", b"jsdelivr", b"googleapis"):
            assert host not in content, name
