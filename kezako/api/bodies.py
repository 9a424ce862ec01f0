"""Read the pictures of a request body: a form, a picture as it is, or JSON with base64."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from email.message import Message
from typing import Any

FIELD = "file"
FORM = "multipart/form-data"
JSON = "application/json"
PLAIN = "application/octet-stream"
MAX_PARTS = 100  # in a form, of any kind
MAX_PART_HEADER = 8 * 1024  # bytes
MAX_BOUNDARY = 70  # characters, by RFC 2046
# Base64 contains none of these characters: a body with more is no request, and would take memory.
MAX_BRACKETS = 1_000
PREFIX = 100  # characters of a data URL before its base64

EXAMPLE = "curl -F file=@photo.jpg"
KINDS = f"Send a form ({EXAMPLE}), a picture as image/… , or JSON with base64."


class Unreadable(ValueError):
    """A body without pictures; `status` is the HTTP status."""

    def __init__(self, sentence: str, status: int = 400):
        super().__init__(sentence)
        self.status = status


Pictures = list[memoryview]


def kind_of(content_type: str | None) -> str:
    """`FORM`, `JSON` or `PLAIN`. Raises `Unreadable` for other content types."""
    kind = (content_type or PLAIN).split(";")[0].strip().lower()
    if kind in (FORM, JSON):
        return kind
    if kind == PLAIN or kind.startswith("image/"):
        return PLAIN
    raise Unreadable(f"This content type holds no pictures. {KINDS}", 415)


def read_pictures(
    body: bytearray,  # not changed; returns views of it where possible
    content_type: str | None,
    most: int,  # number of pictures that are accepted
) -> tuple[Pictures, bool]:
    """The pictures, and whether to answer with a list. Raises `Unreadable`."""
    kind = kind_of(content_type)
    if kind == FORM:
        pictures = list(_from_form(memoryview(body), body, _boundary(str(content_type))))
        several = len(pictures) > 1
    elif kind == JSON:
        pictures, several = _from_json(body)
    else:
        pictures, several = [memoryview(body)], False
    if len(pictures) > most:
        raise Unreadable(f"These are {len(pictures)} pictures; send at most {most} at once.", 413)
    return pictures, several


def _boundary(content_type: str) -> bytes:
    message = Message()
    message["content-type"] = content_type
    boundary = message.get_param("boundary")
    if not isinstance(boundary, str) or not 0 < len(boundary) <= MAX_BOUNDARY:
        raise Unreadable(f"This form's content type names no boundary. Try: {EXAMPLE}")
    try:
        return b"--" + boundary.encode("latin-1")
    except UnicodeEncodeError:
        raise Unreadable("This form's boundary is no ASCII.") from None


def _from_form(view: memoryview, body: bytearray, boundary: bytes) -> Iterator[memoryview]:
    """Every part named `file`, as a view of the body."""
    found = 0
    for number, (start, end) in enumerate(_parts(body, boundary)):
        if number == MAX_PARTS:
            raise Unreadable(f"This form has more than {MAX_PARTS} parts.", 413)
        gap = body.find(b"\r\n\r\n", start, min(end, start + MAX_PART_HEADER) + 4)
        if gap < 0 or gap > end:
            raise Unreadable("A part of this form has no header, or too long a one.")
        if _field(bytes(view[start:gap])) == FIELD:
            found += 1
            yield view[gap + 4 : end]
    if not found:
        raise Unreadable(f"This form has no field named {FIELD!r}. Try: {EXAMPLE}")


def _parts(body: bytearray, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each part, including its header."""
    if body.startswith(boundary):
        at = len(boundary)
    else:
        at = body.find(b"\r\n" + boundary)
        if at < 0:
            raise Unreadable("This form's boundary does not occur in it.")
        at += 2 + len(boundary)
    while body[at : at + 2] != b"--":
        if body[at : at + 2] != b"\r\n":
            raise Unreadable("This form is malformed after a boundary.")
        end = body.find(b"\r\n" + boundary, at)
        if end < 0:
            raise Unreadable("This form is cut short: its last boundary is missing.")
        yield min(at + 2, end), end
        at = end + 2 + len(boundary)


def _field(header: bytes) -> str | None:
    for line in header.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            message = Message()
            message["content-disposition"] = value.strip()
            field = message.get_param("name", header="content-disposition")
            return field if isinstance(field, str) else None
    return None


def _from_json(body: bytearray) -> tuple[Pictures, bool]:
    if sum(body.count(sign) for sign in (b"{", b"[", b",", b":")) > MAX_BRACKETS:
        raise Unreadable(f"This JSON holds more than pictures. {_WANTED}")
    try:
        values = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Unreadable(f"This is no JSON. {_WANTED}") from None
    if not isinstance(values, dict) or set(values) not in ({"picture"}, {"pictures"}):
        raise Unreadable(_WANTED)
    if "picture" in values:
        return [_decoded(values["picture"])], False
    given = values["pictures"]
    if not isinstance(given, list) or not given:
        raise Unreadable(f'"pictures" is to be a list of one or more. {_WANTED}')
    return [_decoded(text) for text in given], True


_WANTED = 'Send {"picture": BASE64} or {"pictures": [BASE64, …]}.'


def _decoded(text: Any) -> memoryview:
    if not isinstance(text, str):
        raise Unreadable(f"A picture in JSON is to be text, in base64. {_WANTED}")
    if text.startswith("data:"):
        text = text[text.find(",", 0, PREFIX) + 1 :]
    try:
        plain = text.encode("ascii").translate(None, b" \t\r\n")  # base64 may be wrapped in lines
        return memoryview(base64.b64decode(plain, validate=True))
    except (binascii.Error, ValueError):
        raise Unreadable("A picture is not in base64, or was cut short.") from None
