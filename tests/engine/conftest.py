"""An API that answers as an engine does, and servers that answer as none should."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from kezako.model.remote import Engine
from kezako.translations import Translation
from tests.servers import serving

LABELS = ("red", "green", "blue")


@pytest.fixture(scope="session")
def an_engine(tmp_path_factory: pytest.TempPathFactory, a_bundle: Callable[..., Path]) -> Iterator[
    tuple[str, Path]
]:  # fmt: skip
    """The address of an API with two classifiers, and its workspace."""
    home = tmp_path_factory.mktemp("engine")
    a_bundle(home / "models", "colours", LABELS, title="What <b>colour</b>?")
    german = Translation("Welche Farbe?", classes={"red": "Rot"})
    a_bundle(home / "models", "tints", LABELS, task="multi", names={"blue": "sky blue"},
             language="de", words={"de": german})  # fmt: skip
    arguments = ["-m", "kezako", "serve", "colours", "--no-browser", "--port", "{port}"]
    for address in serving(arguments, home, "healthz"):
        yield address, home


@pytest.fixture
def an_answering(request: pytest.FixtureRequest) -> Iterator[Callable[[bytes], Engine]]:
    """An engine whose models are fine, and which then says these very bytes, or nothing."""
    ended = threading.Event()
    listeners = []

    def begin(said: bytes) -> Engine:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        thread = threading.Thread(target=_answer, args=(listener, said, ended), daemon=True)
        thread.start()
        return _engine(f"http://127.0.0.1:{listener.getsockname()[1]}/")

    yield begin
    ended.set()
    for listener in listeners:
        listener.close()


def _engine(address: str) -> Engine:
    from kezako.model.bundle import Card, Preprocessing

    card = Card(
        name="colours", title="T", prompt="P", answer="This is {label}.", labels=LABELS,
        task="single", preprocessing=Preprocessing(224, "squish"), precision="fp32",
        temperature=1.0, thresholds={}, known=None,
    )  # fmt: skip
    return Engine(address, card)


def _answer(listener: socket.socket, said: bytes, ended: threading.Event) -> None:
    with suppress(OSError):
        while not ended.is_set():
            connection, _ = listener.accept()
            connection.recv(65536)
            if said:
                connection.sendall(said)
                connection.close()
            else:
                ended.wait()
