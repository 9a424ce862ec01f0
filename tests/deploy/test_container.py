"""The Dockerfiles, the repository's and the one for Spaces, built and run step by step."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.ports import unused_port
from tests.deploy.container import PYTHON, Image, unable
from tests.deploy.environments import copy_environment
from tests.deploy.running import come_and_classify, running
from tests.limits.guest import ask
from tests.needs import needs

pytestmark = pytest.mark.hosts


@pytest.fixture(scope="module", params=["of the repository", "for Spaces"])
def an_image(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    a_clone: Callable[..., Path],
    deployed: Callable[[str, Path], Path],
    a_bare_environment: Path,
) -> Image:
    """What `docker build` would make."""
    folder = tmp_path_factory.mktemp("container")
    why = unable(folder / "probe")
    needs("a root of one's own", not why, why)  # in which steps of a Dockerfile are played
    if request.param == "for Spaces":
        context = deployed("spaces", folder / "context")
    else:
        context = a_clone(folder / "context")
    image = Image(context, folder / "image")
    for name in ("passwd", "group"):  # whoever is known on this machine beyond its system's users
        known = Path("/etc", name).read_text().splitlines(keepends=True)
        (image.root / "etc").mkdir(parents=True, exist_ok=True)
        kept = (line for line in known if int(line.split(":")[2]) < 1000)
        (image.root / "etc" / name).write_text("".join(kept))
    copy_environment(a_bare_environment, image.root / PYTHON.lstrip("/"), called=PYTHON)
    return image.build(os.environ)


def test_it_serves_as_a_user_who_can_change_nothing(an_image: Image, tmp_path: Path) -> None:
    port = unused_port()  # published as another, as by `docker run -p`

    def published(command: list[str]) -> list[str]:
        assert str(an_image.port) in " ".join(command)
        return [part.replace(str(an_image.port), str(port)) for part in command]

    server, health = an_image.start(published(an_image.command)), published(an_image.health)
    assert said(an_image.start(health)).returncode != 0, "nothing runs yet"
    with running(server, tmp_path, port, PATH=os.environ["PATH"]) as container:
        container.until_ready()
        healthy = said(an_image.also(health, container.process.pid))
        assert healthy.returncode == 0, healthy.stderr
        come_and_classify(container.address, 1)
        policy = ask(container.address, "", "HEAD").headers["content-security-policy"]
    assert "frame-ancestors 'self' https://huggingface.co" in policy
    assert said(an_image.start(["id", "-u"])).stdout == "1000\n"
    writing = "echo x >> models/bears/card.json; echo x > kezako/x; echo x > x"
    refused = said(an_image.start(["sh", "-c", writing]))
    assert refused.stderr.count("Permission denied") == 3, refused.stderr


def test_it_holds_what_the_page_needs_and_no_more(an_image: Image) -> None:
    app = an_image.root / "app"
    assert {path.name for path in app.iterdir()} == {
        "kezako", "models", "notebooks", "requirements.txt", "voila_snapshot"
    }  # fmt: skip
    assert [path.name for path in (app / "models").iterdir()] == ["bears"]
    held = {path.name for path in app.rglob("*")}
    assert {"model.onnx", "app.ipynb"} <= held
    assert not {"export.pkl", "report.html", "train.ipynb"} & held


def said(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
