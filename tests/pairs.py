"""Two commands on one workspace, started at random moments; and what must hold afterwards.

For tests, and for `scripts/pairs.py`, which runs every pair many times. Each command is a process
of its own, forked from one that has imported what it needs.
"""

from __future__ import annotations

import csv
import hashlib
import multiprocessing
import os
import random
import re
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from multiprocessing.process import BaseProcess
from pathlib import Path

from kezako.clean.marks import apply_marks, set_mark
from kezako.cli import main
from kezako.dataset.manifest import FILE, Manifest
from kezako.gather import adopt
from kezako.gather.sample import CLASSES, draw_face, draw_sample
from kezako.model.bundle import CREDITS, REPORT, list_bundles, read_bundle, read_card
from kezako.model.classifier import Classifier
from kezako.workspace import Workspace

NAME = "smileys"
MORE = 3  # pictures a class that `gather --from` brings
PHOTOS = 40  # that `predict` is asked about
EXPORT = "export.pkl"  # in the workspace, for `import`
PRELOADED = [
    "kezako.cli", "kezako.gather", "kezako.gather.own_pictures", "kezako.gather.credits",
    "kezako.clean.marks", "kezako.batch.run", "kezako.deploy.run",
    "kezako.export.update", "kezako.importer.card",
    "kezako.gather.sample", "kezako.gather.new", "kezako.model.classifier",
]  # fmt: skip
LIGHT: dict[str, list[str]] = {
    "gather": ["gather", NAME, "--from", "more"],
    "undo": ["clean", NAME, "--undo"],
    "credits": ["credits", NAME],
    "update": ["update", NAME],
    "sample": ["sample", NAME, "--pictures", "15"],
    "predict": ["predict", NAME, "photos", "--csv", "answers.csv", "--workers", "1"],
    "pictures": ["pictures", NAME, "--csv"],
    "deploy": ["deploy", "spaces", NAME, "host"],
    "new": ["new", "pets", "--classes", "cat,dog"],
}
HEAVY: dict[str, list[str]] = {  # which import torch
    "auto": ["clean", NAME, "--auto"],
    "import": ["import", EXPORT, "--name", NAME, "--replace"],
    "train": ["train", NAME],
}
COMMANDS = {**LIGHT, **HEAVY, "serve": []}  # serve: what a server reads, again and again
READERS = {"pictures", "serve"}  # which may not fail, whatever is written meanwhile
# What a command may say when another one is in its way.
SENTENCES = re.compile(
    "is in use by|was replaced while it was in use|holds something already|"
    "there is a recipe already"
)


@dataclass
class Ran:
    """One command of a pair, and what became of it."""

    name: str
    process: BaseProcess
    log: Path
    status: int | None = None

    @cached_property
    def outcome(self) -> str:
        """ "fine", "said" (a sentence why not), or "broken"."""
        said = self.log.read_text("utf-8", "replace")
        if "Traceback" in said or self.status not in (0, 2):
            return "broken"
        if self.status == 0:
            return "fine"
        return "said" if self.name not in READERS and SENTENCES.search(said) else "broken"


@dataclass
class Stage:
    """A workspace that each pair gets a copy of."""

    home: Path
    seconds: dict[str, float] = field(default_factory=dict)  # that a command takes alone

    def __post_init__(self) -> None:
        self._before = contents(self.home)
        workspace = Workspace(self.home)
        with Manifest(workspace.folder(NAME), read_only=True) as manifest:
            self._ids = {row.id for row in manifest.rows()}
        self._finished = read_card(workspace.bundle(NAME)).training.get("finished")

    def measure(self, folder: Path, names: Sequence[str]) -> None:
        """How long each takes alone, so that pairs meet at every moment of both."""
        for name in names:
            home = self._copy(folder)
            started = time.monotonic()
            ran = start(home, name, 0)
            end(ran)
            self.seconds[name] = time.monotonic() - started
            assert ran.outcome == "fine", ran.log.read_text("utf-8", "replace")
            shutil.rmtree(home)

    def _copy(self, folder: Path) -> Path:
        home = Path(tempfile.mkdtemp(dir=folder))
        shutil.copytree(self.home, home, dirs_exist_ok=True)
        return home

    def pair(self, folder: Path, names: tuple[str, str], chance: random.Random) -> list[Ran]:
        """Run both, the second at a random moment of the first; raises AssertionError on a loss."""
        home = self._copy(folder)
        first, second = names if chance.random() < 0.5 else reversed(names)
        ran = [start(home, first, 1)]
        time.sleep(chance.uniform(0, self.seconds[first]))  # not to wait for something
        ran.append(start(home, second, 2))
        for one in ran:
            end(one)
        self.check(home, ran)
        shutil.rmtree(home)
        return ran

    def check(self, home: Path, ran: Sequence[Ran]) -> None:
        """Nothing is lost, nothing is half, nothing is left lying about."""
        for one in ran:
            assert one.outcome != "broken", f"{one.name}: {one.log.read_text('utf-8', 'replace')}"
        done = {one.name for one in ran if one.outcome == "fine"}
        self._check_pictures(home, done)
        self._check_bundle(home, done)
        _check_table(home, done)
        if "deploy" in done:
            Classifier.open(home / "host" / "models" / NAME)
        if "new" in done:
            Workspace(home).recipe("pets")
        assert not list(_left(home, done))

    def _check_pictures(self, home: Path, done: set[str]) -> None:
        folder = Workspace(home).folder(NAME)
        db = sqlite3.connect(folder / FILE)
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        db.close()
        with Manifest(folder, read_only=True) as manifest:
            rows = manifest.rows()
        kept = {str(row.file) for row in rows if row.status == "kept"}
        there = {path.relative_to(folder).as_posix() for path in folder.glob("pictures/*/*")}
        assert kept == there, "each kept row has its file, and each file its row"
        assert {row.id for row in rows} >= self._ids
        assert contents(home).keys() >= self._before.keys(), "no picture is destroyed"
        if "gather" in done:
            assert sum(str(row.title).endswith("more.jpg") for row in rows) == MORE * len(CLASSES)
        if "undo" in done:
            assert not any(row.status == "removed" for row in rows) or "auto" in done

    def _check_bundle(self, home: Path, done: set[str]) -> None:
        models = Workspace(home).models
        assert list_bundles(models) == [NAME]
        card, files = read_bundle(models / NAME, lambda card: card.files)
        assert files.keys() == card.files.keys()
        if {"train", "import"} & done == {"train"}:
            assert REPORT in files
            assert card.training["finished"] != self._finished
            assert "imported" not in card.training
        if {"train", "import"} & done == {"import"}:
            assert "imported" in card.training
        if "credits" in done and not {"train", "import"} & done:
            assert b"CC BY" in files[CREDITS]


def contents(home: Path) -> dict[str, Path]:
    """The checksum of every picture of the workspace, wherever it lies -> a file with it."""
    folder = Workspace(home).folder(NAME)
    return {
        hashlib.sha256(path.read_bytes()).hexdigest(): path
        for part in ("pictures", "removed", "originals")
        for path in (folder / part).rglob("*.jpg")
    }


def make_stage(home: Path, write_bundle: Callable[[Workspace], object]) -> Stage:
    """A small workspace: pictures of which some were cleaned away, a classifier, things to do."""
    workspace = Workspace(home)
    recipe = draw_sample(workspace, pictures=14)
    adopt(recipe, workspace)
    with Manifest(workspace.folder(NAME)) as manifest:
        for row in manifest.kept():
            row.licence, row.creator = "CC BY", "Ann"
            manifest.update(row, "licence", "creator")
        rows = manifest.kept()
        for row, mark in zip(rows, ("delete", "move:sad", "delete"), strict=False):
            set_mark(manifest, row, mark if mark != f"move:{row.folder}" else "delete")
    apply_marks(recipe, workspace)
    for mood in CLASSES:
        for number in range(MORE):
            path = home / "more" / mood / f"{number} more.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            draw_face(mood, number, seed=7).save(path)
    (home / "photos").mkdir()
    for number in range(PHOTOS):
        draw_face(CLASSES[number % 3], number, seed=8).save(home / "photos" / f"{number:03}.jpg")
    write_bundle(workspace)
    return Stage(home)


def start(home: Path, name: str, number: int) -> Ran:
    """A command, in a process of a group of its own."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    log = home / f"{number} {name}.log"
    process = context.Process(target=_run, args=(home, name, log))
    process.start()
    return Ran(name, process, log)


def end(ran: Ran, seconds: float = 1200) -> None:
    """Wait for it."""
    ran.process.join(seconds)
    assert not ran.process.is_alive(), f"{ran.name} hangs: {ran.log.read_text('utf-8')}"
    ran.status = ran.process.exitcode


def _run(home: Path, name: str, log: Path) -> None:
    os.setsid()
    os.chdir(home)
    os.environ.update(KEZAKO_HOME=str(home), KEZAKO_WEIGHTS="starter", OMP_NUM_THREADS="1")
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = ["kezako", *COMMANDS[name]]
    sys.exit(_read(Workspace(home)) if name == "serve" else main(sys.argv[1:]))


def _read(workspace: Workspace) -> int:
    """What a page and a server read, while others write."""
    end = time.monotonic() + 2
    while time.monotonic() < end:
        assert list_bundles(workspace.models) == [NAME]
        Classifier.open(workspace.bundle(NAME), threads=1)
        with Manifest(workspace.folder(NAME), read_only=True) as manifest:
            assert manifest.on_disk()
    return 0


def _check_table(home: Path, done: set[str]) -> None:
    if "predict" not in done:
        assert not (home / "answers.csv").exists()
        return
    with (home / "answers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [f"photos/{number:03}.jpg" for number in range(PHOTOS)]
    assert not any(row["problem"] for row in rows)


def _left(home: Path, done: set[str]) -> Iterator[Path]:
    """What should not be there when nobody works."""
    for path in home.rglob("*"):
        name = path.name
        if name.startswith("answers.csv.") and "predict" not in done:
            continue  # the rows of a run that is to be said again
        if (
            name.endswith((".lock", ".holder", ".old", ".tmp", ".part"))
            or name.startswith((".training-", ".credits-", ".features-", ".copies-"))
            or ".new-" in name
            or path.parent.name == "incoming"
            or (name == "unfinished.pt" and "train" in done)
        ):
            yield path
