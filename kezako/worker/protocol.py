"""What travels between a program and its worker: JSON and bytes, each with its length before it.

Never pickles: a process that a hostile picture has taken over must not reach the other one.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import IO, Any

# label, labels, probabilities, known, sentence, model, milliseconds; else one of {"refused":
# sentence}, where the picture is to blame, and {"failed": sentence, "why": reason}, where this
# side is: the sentence is for strangers, the reason for who runs the program.
Outcome = dict[str, Any]


def problem(outcome: Outcome) -> str:
    """The sentence where there is no answer; empty where there is one."""
    return str(outcome.get("refused") or outcome.get("failed") or "")


def reason(outcome: Outcome) -> str:
    """The same for who runs the program, who may learn of files and of what is wrong with them."""
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
    """The next question and its pictures; None at the end."""
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
    """The next answer. Raises `EOFError` at the end, `ValueError` for what is no answer."""
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
