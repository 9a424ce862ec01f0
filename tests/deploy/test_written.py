"""`kezako deploy` writes what one classifier needs at a host: all of it, no more, or nothing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from kezako.cli import main
from kezako.deploy.contents import FILES, STAGES
from kezako.deploy.hosts import HOSTS
from kezako.deploy.run import deploy
from kezako.model.bundle import (
    CARD,
    COVER,
    MODEL,
    Example,
    read_bundle,
    read_card,
    read_file,
    write_card,
)
from kezako.workspace import Workspace
from tests.test_imports import STAGES as ALL_STAGES

HOSTILE = "--- \n# <script>alert(1)</script> [x](y) ${name}\x1b[2J"


@pytest.fixture
def a_home(an_empty_workspace: Workspace, a_bundle: Callable[..., Path]) -> Workspace:
    """A workspace with two classifiers, one of whose bundles holds more than a page needs."""
    models = an_empty_workspace.models
    a_bundle(models, "other", ("a", "b"))
    bundle = a_bundle(models, "two colours", ("red", "<b>", "a|b"), title=HOSTILE)
    (bundle / "export.pkl").write_bytes(b"a pickle")
    (bundle / "report.html").write_text("photos of others")
    (bundle / "README.md").write_text("# The card")
    write_card(bundle, read_card(bundle))
    return an_empty_workspace


@pytest.mark.parametrize("host", HOSTS)
def test_it_holds_the_classifier_as_far_as_a_page_needs_it(
    a_home: Workspace, tmp_path: Path, host: str
) -> None:
    folder = deploy(HOSTS[host], "two colours", tmp_path / "page", a_home).folder
    bundle = folder / "models" / "two colours"
    assert {path.name for path in bundle.iterdir()} == {CARD, MODEL, "README.md"}
    assert read_file(bundle, read_card(bundle), MODEL)
    assert [path.name for path in (folder / "models").iterdir()] == ["two colours"]
    assert not {path.name for path in (folder / "kezako").iterdir()} & set(STAGES)
    assert (folder / "notebooks" / "app.ipynb").is_file()
    pins = (folder / HOSTS[host].pins).read_text().splitlines()
    assert any(line.startswith("voila==") for line in pins)
    assert not any(line.startswith("-") for line in pins)
    assert not list(tmp_path.glob(".*")), "nothing is left beside it"


@pytest.mark.parametrize("host", HOSTS)
def test_cover_and_examples_go_with_it(a_home: Workspace, tmp_path: Path, host: str) -> None:
    bundle = a_home.bundle("two colours")
    (bundle / "examples").mkdir()
    for name in (COVER, "examples/1.jpg", "examples/2.jpg", "examples/notes.txt"):
        (bundle / name).write_bytes(name.encode())
    shown = (Example("examples/1.jpg", "red"),)
    write_card(bundle, replace(read_card(bundle), examples=shown, names={"red": "bright *red*"}))
    folder = deploy(HOSTS[host], "two colours", tmp_path / "page", a_home).folder
    _, files = read_bundle(folder / "models" / "two colours", lambda card: card.files)
    assert files[COVER] == COVER.encode()
    assert files["examples/1.jpg"] == b"examples/1.jpg"
    assert not {"examples/2.jpg", "examples/notes.txt"} & set(files), "what no card names"
    assert read_card(folder / "models" / "two colours").examples == shown
    assert "bright \\*red\\*" in (folder / "README.md").read_text()


@pytest.mark.parametrize("host", HOSTS)
def test_a_stranger_s_words_stay_words(a_home: Workspace, tmp_path: Path, host: str) -> None:
    folder = deploy(HOSTS[host], "two colours", tmp_path / "page", a_home).folder
    body = (folder / "README.md").read_text()
    if host == "spaces":
        _, front, body = body.split("---\n", 2)
        settings = yaml.safe_load(front)
        assert settings["title"] == "--- # <script>alert(1)</script> [x](y) ${name}[2J"
        assert (settings["sdk"], settings["app_port"]) == ("docker", 7860)
    assert "\\<script\\>" in body
    assert "<script" not in body.replace("\\<", "")
    assert "a\\|b" in body
    assert {sign for sign in body if not sign.isprintable()} == {"\n"}


def test_all_stages_but_serving_stay_at_home() -> None:
    assert ALL_STAGES - {"serve"} <= set(STAGES)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("heroku/dot-python-version", ".python-version"),
        ("binder/binder/runtime.txt", "binder/runtime.txt"),
        ("binder/binder/jupyter/voila.json", "binder/jupyter/voila.json"),
        (
            "binder/binder/jupyter/jupyter_server_config.d/kezako.json",
            "etc/jupyter/jupyter_server_config.d/kezako.json",
        ),
    ],
)
def test_a_written_folder_is_set_up_as_the_repository_is(
    the_repository: Path, theirs: str, ours: str
) -> None:
    assert (FILES / theirs).read_text() == (the_repository / ours).read_text()


@pytest.mark.parametrize("what", ["a file", "a full folder"])
def test_what_is_there_already_is_left_alone(
    a_home: Workspace, tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "there"
    mine = target if what == "a file" else target / "mine.txt"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    assert main(["deploy", "heroku", "other", str(target)]) == 2
    assert "does not exist yet" in capsys.readouterr().err
    assert mine.read_text() == "mine"


def test_what_the_host_would_not_take_is_refused_with_its_size(
    a_home: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = a_home.bundle("other")
    (bundle / MODEL).write_bytes(bytes(101_000_000))
    write_card(bundle, read_card(bundle))
    assert main(["deploy", "binder", "other", str(tmp_path / "page")]) == 2
    said = capsys.readouterr().err
    assert "Binder allows 100.0 MB for the largest file, and this is 101.0 MB." in said
    assert not (tmp_path / "page").exists()


def test_what_the_host_may_not_bear_is_written_with_a_warning(
    a_home: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = a_home.bundle("other")
    (bundle / MODEL).write_bytes(bytes(87_000_000))
    write_card(bundle, read_card(bundle))
    assert main(["deploy", "heroku", "other", str(tmp_path / "page")]) == 0
    assert "Take care: Heroku allows 512.0 MB for memory" in capsys.readouterr().out
    assert main(["deploy", "spaces", "other", str(tmp_path / "space")]) == 0
    assert "Take care" not in capsys.readouterr().out


def test_a_bundle_that_was_changed_is_refused(
    a_home: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (a_home.bundle("other") / MODEL).write_bytes(b"changed")
    assert main(["deploy", "spaces", "other", str(tmp_path / "page")]) == 2
    assert "is not the file that card.json describes" in capsys.readouterr().err
    assert not (tmp_path / "page").exists()


def test_it_tells_sizes_and_what_comes_next(
    a_home: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["deploy", "heroku", "two colours", str(tmp_path / "empty")]) == 0
    said = capsys.readouterr().out
    assert "of 500.0 MB" in said
    assert str(tmp_path / "empty" / "README.md") in said


def test_git_makes_a_repository_with_one_commit(
    a_home: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Maker")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "maker@example.org")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    folder = deploy(HOSTS["heroku"], "other", tmp_path / "page", a_home, git=True).folder
    monkeypatch.delenv("GIT_DIR")

    def git(*command: str) -> str:
        done = subprocess.run(
            ["git", *command], cwd=folder, capture_output=True, check=True, text=True
        )
        return done.stdout

    assert git("log", "--format=%s") == "The page of other\n"
    assert git("branch", "--show-current") == "main\n"
    assert git("status", "--short") == ""
    assert "models/other/model.onnx" in git("ls-files")
    assert "git init" not in (folder / "README.md").read_text()


@pytest.mark.parametrize("host", HOSTS)
def test_without_git_it_says_so_and_writes_nothing(
    a_home: Workspace,
    tmp_path: Path,
    host: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "bin").mkdir()
    if host == "spaces" and (git := shutil.which("git")):
        (tmp_path / "bin" / "git").symlink_to(git)  # but no git-lfs
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert main(["deploy", host, "other", str(tmp_path / "page"), "--git"]) == 2
    assert "is not installed" in capsys.readouterr().err
    assert not (tmp_path / "page").exists()
