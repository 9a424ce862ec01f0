"""A Ray of this machine that takes too long to start is started once more."""

from __future__ import annotations

from typing import Any

import pytest

ray = pytest.importorskip("ray")

from kezako.scale.cluster import connected  # noqa: E402


@pytest.fixture
def a_slow_ray(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Ray as on a busy machine: fails twice as it does there; what it was asked for."""
    asked: list[dict[str, Any]] = []

    def init(**settings: Any) -> None:
        asked.append(settings)
        if len(asked) != 3:
            raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    return asked


def test_it_is_tried_twice(a_slow_ray: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="at this machine: The current node"), connected(None):
        pass
    with connected(None):
        assert len(a_slow_ray) == 3


def test_a_cluster_is_asked_once(a_slow_ray: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="at localhost:1: "), connected("localhost:1"):
        pass
    assert len(a_slow_ray) == 1
