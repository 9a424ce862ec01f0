"""First weights: ImageNet's from a server that plays its host, else the starter's, else random."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torchvision

from kezako.train.weights import find_weights, make_backbone
from tests.standin import Standin

MODELS = Path(__file__).parents[2] / "models"
NOWHERE = Path("/nonexistent")


@pytest.fixture
def a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """The address of a server of files and its folder; torch's own cache is empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KEZAKO_WEIGHTS", raising=False)
    folder = tmp_path / "host"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def some_weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    state: dict[str, torch.Tensor] = torchvision.models.resnet18().state_dict()
    return state


def publish(folder: Path, state: dict[str, torch.Tensor]) -> str:
    """Put weights on the host under the name that holds their checksum, as torchvision does."""
    path = folder / "weights.pth"
    torch.save(state, path)
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    path.rename(folder / f"resnet18-{checksum}.pth")
    return f"resnet18-{checksum}.pth"


def test_weights_are_downloaded_once_and_start_the_body(
    a_host: tuple[str, Path], some_weights: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = a_host
    name = publish(folder, some_weights)
    monkeypatch.setenv("KEZAKO_WEIGHTS_URL", f"{address}/{name}")
    weights = find_weights("resnet18", NOWHERE)
    assert weights.origin == "imagenet"
    body = make_backbone("resnet18", weights)()
    assert torch.equal(body.conv1.weight, some_weights["conv1.weight"])
    (folder / name).unlink()  # from now on they come from the cache
    assert find_weights("resnet18", NOWHERE).origin == "imagenet"


def test_weights_come_through_the_proxy_that_pictures_come_through(
    a_host: tuple[str, Path],
    some_weights: dict[str, torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = publish(a_host[1], some_weights)
    standin = Standin().start()
    try:
        body = (a_host[1] / name).read_bytes()
        standin.play("weights.test", body=body, content_type="application/octet-stream")
        for key, value in standin.environment().items():
            monkeypatch.setenv(key, value)
        monkeypatch.setenv("KEZAKO_WEIGHTS_URL", f"https://weights.test/{name}")
        assert find_weights("resnet18", NOWHERE).origin == "imagenet"
        assert [(seen.host, seen.proxied) for seen in standin.requests] == [("weights.test", True)]
    finally:
        standin.stop()


def test_a_file_with_the_wrong_checksum_is_refused(
    a_host: tuple[str, Path], some_weights: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = a_host
    (folder / publish(folder, some_weights)).rename(folder / "resnet18-00000000.pth")
    monkeypatch.setenv("KEZAKO_WEIGHTS_URL", f"{address}/resnet18-00000000.pth")
    assert find_weights("resnet18", MODELS).origin == "starter"


def test_a_pickle_with_code_is_not_run(
    a_host: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address, folder = a_host
    trap = tmp_path / "sprung"
    torch.save({"conv1.weight": _Trap(str(trap))}, folder / "trap.pth")
    monkeypatch.setenv("KEZAKO_WEIGHTS_URL", f"{address}/trap.pth")
    assert find_weights("resnet18", MODELS).origin == "starter"
    assert not trap.exists()


class _Trap:
    def __init__(self, path: str):
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return Path.touch, (Path(self.path),)  # type: ignore[return-value]


def test_a_host_without_the_file_leaves_the_starter_and_says_so(
    a_host: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEZAKO_WEIGHTS_URL", a_host[0])
    weights = find_weights("resnet18", MODELS)
    assert weights.origin == "starter"
    assert "starter weights" in weights.sentence


def test_without_either_training_starts_from_random_and_says_so(
    a_host: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEZAKO_WEIGHTS_URL", a_host[0])
    weights = find_weights("resnet34", NOWHERE)  # there is a starter for resnet18 alone
    assert weights.origin == "random"
    assert not weights.pretrained
    assert "random weights" in weights.sentence


def test_weights_that_were_asked_for_and_cannot_be_had_are_an_error(
    a_host: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEZAKO_WEIGHTS_URL", a_host[0])
    monkeypatch.setenv("KEZAKO_WEIGHTS", "imagenet")
    with pytest.raises(ValueError, match="could not be had"):
        find_weights("resnet18", MODELS)
    monkeypatch.setenv("KEZAKO_WEIGHTS", "best")
    with pytest.raises(ValueError, match="write imagenet, starter or random"):
        find_weights("resnet18", MODELS)


def test_the_shipped_starter_is_the_one_its_card_describes() -> None:
    import json

    card = json.loads((MODELS / "starter" / "card.json").read_text())
    content = (MODELS / "starter" / card["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == card["sha256"]
