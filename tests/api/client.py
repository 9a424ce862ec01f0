"""Asking the API as programs do, and as nobody should."""

from __future__ import annotations

import base64
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from tests.page.photos import encoded
from tests.servers import DEADLINE

Response = httpx.Response
SILENT = 2  # seconds


class Client:
    """One server's API."""

    def __init__(self, address: str):
        self.address = address
        self.http = httpx.Client(base_url=address, timeout=DEADLINE)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def send(self, *pictures: bytes, model: str | None = None, **settings: Any) -> Response:
        """Pictures as a form."""
        files = [("file", ("a.jpg", picture)) for picture in pictures]
        query = {} if model is None else {"model": model}
        return self.http.post("api/predict", files=files, params=query, **settings)

    def send_plain(self, picture: bytes, kind: str | None = "image/jpeg", **more: str) -> Response:
        headers = {**({"Content-Type": kind} if kind else {}), **more}
        return self.http.post("api/predict", content=picture, headers=headers)

    def send_json(self, value: object) -> Response:
        return self.http.post("api/predict", json=value)

    def figure(self, name: str, **labels: str) -> float:
        """One figure of /metrics; 0 where it is not there."""
        for family in text_string_to_metric_families(self.http.get("metrics").text):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return float(sample.value)
        return 0.0

    def connect(self) -> socket.socket:
        where = urlsplit(self.address)
        return socket.create_connection((str(where.hostname), int(where.port or 0)), timeout=30)

    def raw(self, request: bytes) -> bytes:
        """What comes back for these very bytes, until the server closes or falls silent."""
        with self.connect() as connection:
            connection.sendall(request)
            return drained(connection)


def drained(connection: socket.socket) -> bytes:
    """All that the server still sends before it closes or falls silent."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
            connection.settimeout(SILENT)
    except OSError:  # a reset after its answer is an end as well
        pass
    return received


def colour(red: int, green: int, blue: int) -> bytes:
    """A plain picture."""
    return encoded(Image.new("RGB", (40, 30), (red, green, blue)), "PNG")


def text64(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


def assert_error(response: Response, status: int, *words: str) -> None:
    """The response is a sentence of that status, and gives away nothing of the server."""
    assert response.status_code == status, response.text
    assert list(response.json()) == ["error"]
    sentence = response.json()["error"]
    assert sentence.endswith((".", "…", "photo.jpg")), sentence
    for word in words:
        assert word in sentence
    for secret in ("Traceback", "/home", "/tmp", "/usr", ".py", "Error:"):
        assert secret not in response.text
