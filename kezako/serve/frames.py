"""What travels between the server and its worker: JSON and bytes, each with its length before it.

Never pickles: a process that a hostile picture has taken over must not reach the server's.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any

LARGEST_ANSWER = 16 * 2**20  # bytes; a thousand classes take a hundredth of that

_QUESTION = struct.Struct(">II")  # bytes of the JSON, bytes of the picture
_ANSWER = struct.Struct(">I")  # bytes of the JSON


def write_question(pipe: IO[bytes], question: dict[str, Any], picture: bytes | memoryview) -> None:
    text = json.dumps(question).encode()
    pipe.write(_QUESTION.pack(len(text), len(picture)) + text)
    pipe.write(picture)
    pipe.flush()


def read_question(pipe: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """The next question and its picture; None at the end."""
    header = pipe.read(_QUESTION.size)
    if len(header) < _QUESTION.size:
        return None
    text, picture = _QUESTION.unpack(header)
    return json.loads(pipe.read(text)), pipe.read(picture)


def write_answer(pipe: IO[bytes], answer: dict[str, Any]) -> None:
    text = json.dumps(answer, allow_nan=False).encode()
    pipe.write(_ANSWER.pack(len(text)) + text)
    pipe.flush()


def read_answer(pipe: IO[bytes]) -> dict[str, Any]:
    """The next answer. Raises `EOFError` at the end, `ValueError` for what is no answer."""
    header = pipe.read(_ANSWER.size)
    if len(header) < _ANSWER.size:
        raise EOFError
    (size,) = _ANSWER.unpack(header)
    if size > LARGEST_ANSWER:
        raise ValueError("an answer of the worker is out of bounds")
    answer = json.loads(pipe.read(size))
    if not isinstance(answer, dict):
        raise ValueError("an answer of the worker is no object")
    return answer
