"""A Ray of this machine that takes too long to start is started again, for some minutes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.needs import needs_package

ray = needs_package("ray")

from kezako.scale import cluster
from kezako.scale.cluster import SLOW, STARTING, connected


class SlowRay:
    """Ray on a busy machine: each try ends so late, and the first so many as there it does."""

    def __init__(self, seconds: float, failures: int):
        self.seconds, self.failures = seconds, failures
        self.tries, self.now = 0, 1000.0

    def monotonic(self) -> float:
        return self.now

    def init(self, **settings: Any) -> None:
        self.tries += 1
        self.now += self.seconds
        if self.tries <= self.failures:
            raise Exception("The current node timed out during startup.")


@pytest.fixture
def a_slow_ray(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> SlowRay:
    slow = SlowRay(*request.param)
    monkeypatch.setattr(cluster, "time", slow)
    monkeypatch.setattr(ray, "init", slow.init)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    return slow


@pytest.mark.parametrize("a_slow_ray", [(35.0, 3)], indirect=True)
def test_it_is_tried_again(a_slow_ray: SlowRay, capsys: pytest.CaptureFixture[str]) -> None:
    with connected(None):
        assert a_slow_ray.tries == 4
    assert capsys.readouterr().err.count("once more") == 3


@pytest.mark.parametrize("a_slow_ray", [(35.0, 100)], indirect=True)
def test_it_is_not_tried_for_ever(a_slow_ray: SlowRay) -> None:
    with pytest.raises(ValueError, match="at this machine: The current node"), connected(None):
        pass
    assert STARTING <= a_slow_ray.now - 1000.0 < STARTING + 2 * 35


@pytest.mark.parametrize("a_slow_ray", [(SLOW / 2, 1)], indirect=True)
def test_what_fails_at_once_is_not_a_matter_of_time(a_slow_ray: SlowRay) -> None:
    with pytest.raises(ValueError, match="at this machine: "), connected(None):
        pass
    assert a_slow_ray.tries == 1


@pytest.mark.parametrize("a_slow_ray", [(35.0, 1)], indirect=True)
def test_a_cluster_is_asked_once(a_slow_ray: SlowRay) -> None:
    with pytest.raises(ValueError, match="at localhost:1: "), connected("localhost:1"):
        pass
    assert a_slow_ray.tries == 1
