"""A classifier that changes on disk is exchanged between requests; a dead worker is replaced."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import psutil

from kezako.model.bundle import CARD, MODEL, read_card
from tests.api.client import Client, assert_error, colour
from tests.needs import only_where
from tests.servers import until

RED = colour(250, 20, 20)


def test_a_new_bundle_answers_and_a_broken_one_does_not(
    an_api: Client, a_home: Path, a_bundle: Callable[..., Path]
) -> None:
    models = a_home / "models"
    folder = a_bundle(models, "changing", ("old", "b", "c"))
    assert an_api.send(RED, model="changing").json()["label"] == "old"
    a_bundle(models, "changing", ("new", "b", "c"))
    assert an_api.send(RED, model="changing").json()["label"] == "new"
    version = read_card(folder).files[MODEL]
    (folder / MODEL).write_bytes(b"copied in part")
    answer = an_api.send(RED, model="changing").json()
    assert answer["label"] == "new"
    assert answer["model"]["version"] == version
    a_bundle(models, "changing", ("newest", "b", "c"))
    assert an_api.send(RED, model="changing").json()["label"] == "newest"
    shutil.rmtree(folder)
    assert_error(an_api.send(RED, model="changing"), 404)


def test_a_broken_card_is_left_out_of_the_list(
    an_api: Client, a_home: Path, a_bundle: Callable[..., Path]
) -> None:
    folder = a_bundle(a_home / "models", "torn", ("a", "b"))
    (folder / CARD).write_text("{")
    names = [model["name"] for model in an_api.http.get("api/models").json()["models"]]
    assert "torn" not in names
    assert "colours" in names
    assert_error(an_api.send(RED, model="torn"), 503)
    shutil.rmtree(folder)


@only_where(os.name == "posix", "signals")
def test_a_killed_worker_is_replaced(an_api: Client) -> None:
    an_api.send(RED)
    starts = an_api.figure("kezako_worker_starts")
    worker = _worker(an_api)
    worker.send_signal(signal.SIGKILL)
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    assert an_api.send(RED).json()["label"] == "red"
    assert an_api.figure("kezako_worker_starts") == starts + 1


def _worker(api: Client) -> psutil.Process:
    """The process that decodes for the server at this address."""
    port = int(api.address.rstrip("/").rsplit(":", 1)[1])
    (server,) = {
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    }
    (worker,) = [
        child
        for child in psutil.Process(server).children()
        if any("kezako.worker.process" in part for part in child.cmdline())
    ]
    return worker
