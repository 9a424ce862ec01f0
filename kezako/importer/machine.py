"""Interpret a pickle without executing it: every instruction only fills records.

Python's unpickler does more than it is asked to, even if every name is harmless: it hashes keys,
which a file can choose so that they collide or take hours, and it grows tables by numbers in the
file. Here every instruction costs one step and stores no more than the bytes that it brings;
nothing is called, instantiated, hashed or compared. `pickletools` splits the instructions.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable
from typing import Any

from kezako.importer.allowlist import Refused, check_mention, is_foreign, short, written
from kezako.importer.records import (
    Name,
    OddKey,
    Record,
    call,
    call_record,
    is_plain_key,
    make_instance,
)

MAX_STEPS = 2_000_000  # a resnet34 takes 23,000, one with a table of 100,000 rows 400,000
_MAX_FOREIGN = 50
# Names in the file; a pickle writes each once, and an export has a few hundred.
_MAX_NAMES = 100_000
_MAX_ARGUMENTS = 1000  # of one call, which every step can ask for again


class Damaged(ValueError):
    """The pickle is not valid."""


def run(
    file: io.BytesIO,  # at the pickle's start; afterwards at its end
    persistent: Callable[[Any], Any],  # resolves a persistent id
    foreign: set[str],  # names of foreign code are added to it
) -> Any:
    """The pickle's object, as records. Raises `Refused`, and `Damaged` or another `ValueError`."""
    machine = _Machine(persistent, foreign)
    for step, (instruction, given, _) in enumerate(pickletools.genops(file)):
        if step == MAX_STEPS:
            raise Refused("The file is refused: its pickle has more parts than any export has.")
        act = _ACTS.get(instruction.name)
        if act is None:
            raise Damaged(f"an instruction that no export holds ({instruction.name})")
        act(machine, given)
    return machine.result


class _Machine:
    """The stack, the stacks below each mark, and the memo."""

    def __init__(self, persistent: Callable[[Any], Any], foreign: set[str]):
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.result: Any = None
        self.persistent = persistent
        self.foreign = foreign
        self.names = 0

    def pop(self) -> Any:
        if not self.stack:
            raise Damaged("nothing is left on the stack")
        return self.stack.pop()

    def top(self) -> Any:
        if not self.stack:
            raise Damaged("nothing is left on the stack")
        return self.stack[-1]

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def since_mark(self) -> list[Any]:
        if not self.marked:
            raise Damaged("a mark is missing")
        items, self.stack = self.stack, self.marked.pop()
        return items

    def several(self, count: int) -> tuple[Any, ...]:
        if len(self.stack) < count:
            raise Damaged("nothing is left on the stack")
        items = tuple(self.stack[-count:])
        del self.stack[-count:]
        return items

    def name(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise Damaged("a name that is no text")
        self.names += 1
        if self.names > _MAX_NAMES:
            raise Refused("The file is refused: its pickle names more than any export does.")
        path = written(module, name)
        check_mention(path)
        if is_foreign(path) and len(self.foreign) < _MAX_FOREIGN:
            self.foreign.add(short(path))
        self.push(Name(path))

    def call(self, what: Any, args: Any) -> None:
        _check_arguments(args)
        if isinstance(what, Record):
            self.push(call_record(what, args))
        elif isinstance(what, Name):
            self.push(call(what, args))
        else:
            raise Damaged("a call of what is no function")

    def instance(self, kind: Any, args: Any, keywords: Any = None) -> None:
        _check_arguments(args)
        if not isinstance(kind, Name):
            raise Damaged("an instance of what is no class")
        self.push(make_instance(kind, args, keywords))

    def build(self, _: Any) -> None:
        state = self.pop()
        target = self.top()
        if not isinstance(target, Record):
            raise Damaged("attributes of what has none")
        target.state = state

    def memorise(self, place: int) -> None:
        self.memo[place] = self.top()

    def recall(self, place: int) -> None:
        if place not in self.memo:
            raise Damaged("nothing is memorised there")
        self.push(self.memo[place])

    def drop(self, _: Any) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.since_mark()

    def mark(self, _: Any) -> None:
        self.marked.append(self.stack)
        self.stack = []

    def stop(self, _: Any) -> None:
        self.result = self.pop()

    def identified(self, identity: Any) -> None:
        self.push(self.persistent(identity))

    def append(self, items: list[Any]) -> None:
        target = self.top()
        if not isinstance(target, Record | list):
            raise Damaged("items of what holds none")
        target.extend(items)

    def put(self, items: list[Any]) -> None:
        target = self.top()
        if len(items) % 2:
            raise Damaged("a key without its value")
        pairs = zip(items[::2], items[1::2], strict=True)
        if isinstance(target, Record):
            target.put(pairs)
        elif isinstance(target, dict):
            target.update((_key(key), value) for key, value in pairs)
        else:
            raise Damaged("keys of what holds none")

    def dictionary(self, items: list[Any]) -> None:
        self.push({})
        self.put(items)

    def named_instance(self, given: str) -> None:
        args = tuple(self.since_mark())
        self.name(*_module_and_name(given))
        self.call(self.pop(), args)

    def object(self, _: Any) -> None:
        kind, *args = self.since_mark() or [None]
        self.call(kind, tuple(args))


def _check_arguments(args: Any) -> None:
    if not isinstance(args, tuple):
        raise Damaged("arguments that are none")
    if len(args) > _MAX_ARGUMENTS:
        raise Refused("The file is refused: it gives a call more arguments than any takes.")


def _key(key: Any) -> Any:
    return key if is_plain_key(key) else OddKey(key)


def _module_and_name(given: str) -> list[str]:
    return given.split(" ", 1)


def _keyworded(machine: _Machine, _: Any) -> None:
    kind, args, keywords = machine.several(3)
    machine.instance(kind, args, keywords)


_ACTS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME"), lambda machine, given: None),
    **dict.fromkeys((
        "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "STRING", "BINSTRING",
        "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "UNICODE",
        "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "FLOAT", "BINFLOAT",
    ), _Machine.push),
    "NONE": lambda machine, given: machine.push(None),
    "NEWTRUE": lambda machine, given: machine.push(True),
    "NEWFALSE": lambda machine, given: machine.push(False),
    # A set becomes a list here: nothing tests membership.
    **dict.fromkeys(("EMPTY_LIST", "EMPTY_SET"), lambda machine, given: machine.push([])),
    "EMPTY_TUPLE": lambda machine, given: machine.push(()),
    "EMPTY_DICT": lambda machine, given: machine.push({}),
    **dict.fromkeys(("LIST", "FROZENSET"), lambda machine, given:
                    machine.push(machine.since_mark())),
    "TUPLE": lambda machine, given: machine.push(tuple(machine.since_mark())),
    "TUPLE1": lambda machine, given: machine.push(machine.several(1)),
    "TUPLE2": lambda machine, given: machine.push(machine.several(2)),
    "TUPLE3": lambda machine, given: machine.push(machine.several(3)),
    "DICT": lambda machine, given: machine.dictionary(machine.since_mark()),
    "APPEND": lambda machine, given: machine.append([machine.pop()]),
    **dict.fromkeys(("APPENDS", "ADDITEMS"), lambda machine, given:
                    machine.append(machine.since_mark())),
    "SETITEM": lambda machine, given: machine.put(list(machine.several(2))),
    "SETITEMS": lambda machine, given: machine.put(machine.since_mark()),
    "MARK": _Machine.mark,
    "POP": _Machine.drop,
    "POP_MARK": lambda machine, given: machine.since_mark().clear(),
    "DUP": lambda machine, given: machine.push(machine.top()),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Machine.memorise),
    "MEMOIZE": lambda machine, given: machine.memorise(len(machine.memo)),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.recall),
    "GLOBAL": lambda machine, given: machine.name(*_module_and_name(given)),
    "STACK_GLOBAL": lambda machine, given: machine.name(*machine.several(2)),
    "REDUCE": lambda machine, given: machine.call(*machine.several(2)),
    "INST": _Machine.named_instance,
    "OBJ": _Machine.object,
    "NEWOBJ": lambda machine, given: machine.instance(*machine.several(2)),
    "NEWOBJ_EX": _keyworded,
    "BUILD": _Machine.build,
    "PERSID": _Machine.identified,
    "BINPERSID": lambda machine, given: machine.identified(machine.pop()),
    "STOP": _Machine.stop,
}  # fmt: skip
