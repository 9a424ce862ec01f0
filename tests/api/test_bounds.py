"""More than the server can do at once is refused with a sentence, and it goes on answering."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.api.client import Client, Response, assert_error, colour, drained, text64
from tests.servers import until

RED = colour(250, 20, 20)
# Its comment is read byte by byte: seconds at least.
ENDLESS = b"P6 #" + b"x" * 15_000_000


@contextmanager
def busy(api: Client) -> Iterator[Future[Response]]:
    """The one worker has a picture that it will not be done with in time."""
    until(lambda: api.send(RED).status_code == 200)  # it has loaded its libraries
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(api.send, ENDLESS)
        until(lambda: api.figure("kezako_api_body_bytes") > len(ENDLESS) or answer.done())
        yield answer


def test_what_takes_too_long_is_given_up(a_narrow_api: Client) -> None:
    with busy(a_narrow_api) as answer:
        starts = a_narrow_api.figure("kezako_worker_starts")
    assert_error(answer.result(), 422, "too long", "smaller")
    until(lambda: a_narrow_api.send(RED).status_code == 200)
    assert a_narrow_api.figure("kezako_worker_starts") > starts


def test_who_waits_beyond_the_deadline_is_told(a_narrow_api: Client) -> None:
    with busy(a_narrow_api):
        late = a_narrow_api.send(ENDLESS)
    assert_error(late, 503, "come again")
    assert int(late.headers["Retry-After"]) >= 1
    until(lambda: a_narrow_api.send(RED).status_code == 200)


def test_a_full_queue_says_when_to_come_again(a_narrow_api: Client) -> None:
    with busy(a_narrow_api), ThreadPoolExecutor(6) as threads:
        responses = list(threads.map(a_narrow_api.send, [RED] * 6))
    refused = [response for response in responses if response.status_code == 429]
    assert len(refused) >= 3  # of six for three places
    for response in refused:
        assert_error(response, 429, "come again")
        assert int(response.headers["Retry-After"]) >= 1
    assert {response.status_code for response in responses} <= {200, 429, 503}


def test_who_leaves_frees_the_place(a_narrow_api: Client) -> None:
    with busy(a_narrow_api) as answer:
        answered = a_narrow_api.figure("kezako_predictions_total", outcome="answered")
        waiting = [a_narrow_api.connect() for _ in range(3)]
        for connection in waiting:
            connection.sendall(_request(RED))
        until(lambda: a_narrow_api.figure("kezako_waiting_pictures") == 3)
        for connection in waiting:
            connection.close()
        until(lambda: a_narrow_api.figure("kezako_waiting_pictures") == 0)
        assert not answer.done()
    after = a_narrow_api.figure("kezako_predictions_total", outcome="answered")
    assert after == answered
    assert a_narrow_api.figure("kezako_api_open_requests") == 0


@pytest.mark.parametrize(
    "send",
    [lambda api: api.send(bytes(17 * 2**20)),
     lambda api: api.send_plain(bytes(17 * 2**20)),
     lambda api: api.send_json({"picture": text64(bytes(2**20))}),
     lambda api: api.http.post("api/predict", content=iter([bytes(2**20)] * 17))],
    ids=["form", "plain", "json", "chunked"],
)  # fmt: skip
def test_too_many_bytes(a_narrow_api: Client, send: Callable[[Client], Response]) -> None:
    assert_error(send(a_narrow_api), 413, "MB")
    assert a_narrow_api.figure("kezako_api_body_bytes") == 0


def test_too_many_pictures(a_narrow_api: Client) -> None:
    assert_error(a_narrow_api.send(*[RED] * 4), 413, "4 pictures", "at most 3")


def test_a_silent_upload_ends(a_narrow_api: Client) -> None:
    silent = _half_sent(a_narrow_api, 6)
    for connection in silent:
        assert b"408" in drained(connection).split(b"\r\n")[0]
        connection.close()
    until(lambda: a_narrow_api.send(RED).status_code == 200)


def test_one_address_leaves_room(a_patient_api: Client) -> None:
    silent = _half_sent(a_patient_api, 6)
    until(lambda: a_patient_api.figure("kezako_api_open_requests") == 6)
    refused = a_patient_api.send(RED)  # six of twelve places are this address's share
    assert_error(refused, 429, "come again")
    for connection in silent:
        connection.close()
    until(lambda: a_patient_api.send(RED).status_code == 200)


def test_an_upload_that_trickles_ends(a_narrow_api: Client) -> None:
    with a_narrow_api.connect() as connection:
        connection.sendall(_request(b"x" * 10_000)[:-9_000])
        connection.settimeout(0.2)
        received = b""
        for _ in range(600):
            try:
                connection.sendall(b"x")
                received += connection.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                break
            if received:
                break
        assert b"408" in received.split(b"\r\n")[0]


def _half_sent(api: Client, number: int) -> list[socket.socket]:
    """Connections whose picture never comes to its end."""
    connections = [api.connect() for _ in range(number)]
    for connection in connections:
        connection.sendall(_request(RED)[:-10])
    return connections


def _request(picture: bytes) -> bytes:
    head = f"POST /api/predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(picture)}\r\n\r\n"
    return head.encode() + picture
