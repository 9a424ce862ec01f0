"""Messages between a program and its worker: length-prefixed JSON and bytes.

Never pickles: a process that a hostile picture has taken over must not reach the other one.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import IO, Any

# Keys: label, labels, probabilities, known, sentence, model, milliseconds. If there is no answer,
# either {"refused": sentence} if the picture is the problem, or {"failed": sentence, "why": reason}
# if it is our side: visitors see the sentence, the operator the reason.
Outcome = dict[str, Any]


def problem(outcome: Outcome) -> str:
    """The sentence for the visitor if there is no answer; empty if there is one."""
    return str(outcome.get("refused") or outcome.get("failed") or "")


def reason(outcome: Outcome) -> str:
    """The reason for the operator, which may name files; empty if there is an answer."""
    return str(outcome.get("why") or problem(outcome))


LARGEST_ANSWER = 16 * 2**20  # bytes; a thousand classes take a hundredth of that

_LENGTH = struct.Struct(">I")  # bytes of the JSON

Picture = bytes | memoryview


def write_question(pipe: IO[bytes], question: dict[str, Any], pictures: Sequence[Picture]) -> None:
    text = json.dumps({**question, "sizes": [len(picture) for picture in pictures]}).encode()
    pipe.write(_LENGTH.pack(len(text)) + text)
    for picture in pictures:
        pipe.write(picture)
    pipe.flush()


def read_question(pipe: IO[bytes]) -> tuple[dict[str, Any], list[bytes]] | None:
    """The next request and its pictures; None at the end."""
    header = pipe.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    question = json.loads(pipe.read(_LENGTH.unpack(header)[0]))
    return question, [pipe.read(size) for size in question["sizes"]]


def write_answer(pipe: IO[bytes], answer: dict[str, Any]) -> None:
    text = json.dumps(answer, allow_nan=False).encode()
    pipe.write(_LENGTH.pack(len(text)) + text)
    pipe.flush()


def read_answer(pipe: IO[bytes]) -> dict[str, Any]:
    """The next answer. Raises `EOFError` at the end, and `ValueError` for an invalid answer."""
    header = pipe.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        raise EOFError
    (size,) = _LENGTH.unpack(header)
    if size > LARGEST_ANSWER:
        raise ValueError("an answer of the worker is out of bounds")
    answer = json.loads(pipe.read(size))
    if not isinstance(answer, dict):
        raise ValueError("an answer of the worker is no object")
    return answer
