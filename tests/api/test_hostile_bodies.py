"""Bodies that nobody sends by accident: a sentence each, and the server is as well as before."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from tests.api.client import Client, assert_error, colour, text64
from tests.api.odd_whole import chunk, png

RED = colour(250, 20, 20)
FORM = "multipart/form-data; boundary=b"
HEAD = b'Content-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'

JSON: dict[str, bytes] = {
    "broken": b'{"picture": ',
    "empty": b"",
    "no-object": b'"picture"',
    "null": b"null",
    "number": b'{"picture": 3}',
    "not-a-number": b'{"picture": NaN}',
    "infinity": b'{"pictures": [Infinity]}',
    "digits": b'{"picture": ' + b"9" * 1_000_000 + b"}",
    "nested-list": b"[" * 200_000,
    "nested-objects": b'{"a":' * 100_000,
    "many-objects": b'{"pictures": [' + b"{}," * 1_000_000 + b"{}]}",
    "empty-list": b'{"pictures": []}',
    "list-of-lists": b'{"pictures": [[]]}',
    "both": b'{"picture": "", "pictures": [""]}',
    "other-key": b'{"url": "http://127.0.0.1/"}',
    "no-utf-8": b'{"picture": "\xff\xfe"}',
    "utf-16": '{"picture": ""}'.encode("utf-16"),
    "no-base64": b'{"picture": "***"}',
    "base64-cut": json.dumps({"picture": text64(RED)[:-3]}).encode(),
    "letters": '{"picture": "é"}'.encode(),
    "half-a-pair": b'{"picture": "\\ud800"}',
    "path": b'{"picture": "../../../etc/passwd"}',
}
FORMS: dict[str, bytes] = {
    "empty": b"",
    "only-end": b"--b--\r\n",
    "no-end": b"--b\r\n" + HEAD + RED,
    "no-header": b"--b\r\nhello\r\n--b--\r\n",
    "endless-header": b"--b\r\n" + b"X: y\r\n" * 100_000 + b"\r\n" + RED + b"\r\n--b--\r\n",
    "other-boundary": b"--c\r\n" + HEAD + RED + b"\r\n--c--\r\n",
    "other-field": b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nhello\r\n--b--\r\n',
    "no-name": b"--b\r\nContent-Disposition: form-data\r\n\r\nhello\r\n--b--\r\n",
    "10000-parts": (b"--b\r\n" + HEAD + b"x\r\n") * 10_000 + b"--b--\r\n",
    "million-boundaries": b"--b\r\n" * 1_000_000 + b"--b--\r\n",
    "garbled-after-boundary": b"--bx\r\n" + HEAD + RED + b"\r\n--b--\r\n",
}


@pytest.mark.parametrize("name", JSON)
def test_json(an_api: Client, name: str) -> None:
    response = an_api.http.post(
        "api/predict", content=JSON[name], headers={"Content-Type": "application/json"}
    )
    assert response.status_code in (400, 422), response.text
    assert_error(response, response.status_code)


@pytest.mark.parametrize("name", FORMS)
def test_forms(an_api: Client, name: str) -> None:
    response = an_api.send_plain(FORMS[name], FORM)
    assert response.status_code in (400, 413), response.text
    assert_error(response, response.status_code)


@pytest.mark.parametrize(
    "kind",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary",
     "multipart/form-data; boundary=" + "x" * 999, "multipart/form-data; boundary*=utf-8''%E9b"],
)  # fmt: skip
def test_forms_without_a_boundary(an_api: Client, kind: str) -> None:
    assert_error(an_api.send_plain(b"--b\r\n" + HEAD + RED + b"\r\n--b--\r\n", kind), 400)


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "video/mp4", "image", "x", "/", "a/b"],
)
def test_other_kinds(an_api: Client, kind: str) -> None:
    assert_error(an_api.send_plain(RED, kind), 415, "curl")


def test_packed_bodies(an_api: Client) -> None:
    packed = gzip.compress(bytes(10_000_000))
    response = an_api.http.post("api/predict", content=packed, headers={"Content-Encoding": "gzip"})
    assert_error(response, 415)


def test_hostile_names(an_api: Client) -> None:
    for name in ("../../x.jpg", "<script>.jpg", "x\u202egpj.exe", "a" * 5000, "C:\\x\\y.jpg"):
        response = an_api.http.post("api/predict", files={"file": (name, RED)})
        assert response.json()["label"] == "red"
        assert name not in response.text


def test_huge_pictures_in_small_files(an_api: Client) -> None:
    rows = zlib.compress(bytes(10_000 * 2_501), 9)
    assert_error(an_api.send(png((20_000, 10_000), 1, 0, chunk(b"IDAT", rows))), 422, "too large")
    bomb = zlib.compress(bytes(200_000_000), 9)
    for kind, head in ((b"zTXt", b"a\0\0"), (b"iCCP", b"a\0\0")):
        picture = png((9, 9), 8, 2, chunk(kind, head + bomb))
        assert an_api.send(picture).status_code in (200, 422)


def test_scan_upon_scan(an_api: Client) -> None:
    from tests.page.photos import drawn

    plain = drawn(size=(3000, 3000), progressive=True)
    scan = plain.rindex(b"\xff\xda")
    assert_error(an_api.send(plain[:-2] + plain[scan:-2] * 2000 + b"\xff\xd9"), 422, "too long")


def test_it_is_as_well_as_before(an_api: Client) -> None:
    assert an_api.send(RED).json()["label"] == "red"
    assert an_api.figure("kezako_api_open_requests") == 0
    assert an_api.figure("kezako_api_body_bytes") == 0
    assert an_api.figure("kezako_worker_memory_bytes") < 600e6
