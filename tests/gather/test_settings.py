"""Settings from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from kezako.gather.settings import Settings
from kezako.proxies import Proxies


def test_nothing_set_is_the_plain_web() -> None:
    assert Settings.from_environment({}) == Settings()


def test_each_variable_has_its_place(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.touch()
    settings = Settings.from_environment(
        {
            "KEZAKO_PROXY": "http://127.0.0.1:3128/",
            "KEZAKO_CA": str(ca),
            "KEZAKO_OPENVERSE_URL": "https://openverse.test",
            "KEZAKO_WIKIMEDIA_URL": "https://commons.test/",
            "KEZAKO_ALLOW_PRIVATE": "1",
            "KEZAKO_PAUSE": "0.5",
            "KEZAKO_URLS": str(tmp_path),
            "KEZAKO_CONTACT": "me@example.org",
            "HOME": "/",
        }
    )
    assert settings == Settings(
        proxies=Proxies("http://127.0.0.1:3128"),
        ca=ca,
        openverse_url="https://openverse.test",
        wikimedia_url="https://commons.test",
        allow_private=True,
        pause=0.5,
        lists=tmp_path,
        contact="me@example.org",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEZAKO_PROXY", "ftp://localhost:3128"),
        ("KEZAKO_PROXY", "http://"),
        ("KEZAKO_OPENVERSE_URL", "file:///etc"),
        ("KEZAKO_CA", "/nowhere/ca.pem"),
        ("KEZAKO_PAUSE", "fast"),
        ("KEZAKO_PAUSE", "-1"),
        ("KEZAKO_PAUSE", "nan"),
        ("KEZAKO_ALLOW_PRIVATE", "maybe"),
        ("KEZAKO_CONTACT", "me\nX-Evil: 1"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings.from_environment({name: value})


def test_within_names_the_place_of_one_class(tmp_path: Path) -> None:
    settings = Settings(pause=0).within(tmp_path, "black")
    assert (settings.pause, settings.data, settings.folder) == (0, tmp_path, "black")
