"""What is installed is held against what Kezako asks for."""

from __future__ import annotations

from importlib import metadata

import pytest

from kezako.doctor import packages


def test_here_all_is_well() -> None:
    found = [*packages.needed(), *packages.needed("train")]
    assert {one.mark for one in found} == {"ok"}, found
    assert {"voila", "onnxruntime"} <= {one.what for one in packages.needed()}
    assert {"torch", "fastai"} <= {one.what for one in packages.needed("train")}
    assert not {"torch", "pytest"} & {one.what for one in packages.needed()}


@pytest.mark.parametrize(("extra", "name", "mark"), [("", "voila", "!!"), ("train", "torch", "--")])
def test_a_missing_one_is_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, extra: str, name: str, mark: str
) -> None:
    installed = metadata.version

    def version(asked: str) -> str:
        if asked == name:
            raise metadata.PackageNotFoundError(asked)
        return installed(asked)

    monkeypatch.setattr(metadata, "version", version)
    (found,) = [one for one in packages.needed(extra) if one.mark != "ok"]
    assert (found.what, found.mark, found.found) == (name, mark, "missing")
    assert found.advice.startswith("pip install")


def test_a_version_that_does_not_suit_is_told_with_the_one_that_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed = metadata.version
    monkeypatch.setattr(
        metadata, "version", lambda name: "1.0" if name == "torch" else installed(name)
    )
    (found,) = [one for one in packages.needed("train") if one.mark != "ok"]
    assert found.found == "1.0, where ==2.13.0 is asked for"
