"""What a pickle asks for, written down instead of done.

A pickle is a program: it names functions and classes, calls them, and sets their attributes. Here
every name becomes a `Name` and every object a `Record`, which hold what they were given and do
nothing. No class, function or code of the file, of Python or of a library is ever reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from kezako.bring.names import Refused, check_call, check_carried, may_make, short

# Calls whose arguments are functions, to be called later: those are looked at as well.
_CARRIERS = {"functools.partial", "functools.reduce", "types.MethodType",
             "torch._tensor._rebuild_from_type", "torch._tensor._rebuild_from_type_v2",
             "torch.tensor._rebuild_from_type", "fastai.torch_core._rebuild_from_type"}  # fmt: skip


class Name(type):
    """A class or function that a pickle names; a type only because unpickling insists on one."""

    path: str  # "os.system", as a person would write it

    def __call__(cls, *args: Any, **keywords: Any) -> Any:
        return _called(cls.path, cls, args, keywords)

    def __repr__(cls) -> str:
        return cls.path


class Record(metaclass=Name):
    """An object that a pickle describes, or the result of a call that it asks for."""

    path = "record"
    __slots__ = ("args", "keywords", "kind", "members", "pairs", "state")

    kind: Name  # what was called, or whose instance this is
    args: tuple[Any, ...]
    keywords: dict[str, Any]
    state: Any  # what its __setstate__ or __dict__ would have been given
    pairs: list[tuple[Any, Any]]  # what would have been set by key
    members: list[Any]  # what would have been appended or added

    def __new__(cls, *args: Any, **keywords: Any) -> Record:
        return make_instance(cls, args, keywords)

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise Refused(
            f"This file wants to call what {short(self.kind.path)} brings: refused, nothing of it "
            "was run."
        )

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.pairs.append((key, value))

    def append(self, value: Any) -> None:
        self.members.append(value)

    def add(self, value: Any) -> None:
        self.members.append(value)

    def extend(self, values: Any) -> None:
        self.members.extend(values)

    def __repr__(self) -> str:
        return f"<{self.kind.path}>"


@lru_cache(maxsize=1000)
def named(path: str) -> Name:
    """The `Name` for a dotted path."""
    return Name(path.rpartition(".")[2] or "name", (Record,), {"path": path, "__slots__": ()})


def make_instance(kind: Name, args: tuple[Any, ...], keywords: dict[str, Any]) -> Record:
    """An instance as pickle makes them, without calling the class. Raises `Refused`."""
    if not may_make(kind.path):
        raise Refused(
            f"This file wants to make a {short(kind.path)}: refused, nothing of it was run."
        )
    return make(kind, args, keywords)


def make(kind: Name, args: tuple[Any, ...], keywords: dict[str, Any]) -> Record:
    """A record, whatever it is of."""
    record: Record = object.__new__(Record)
    record.kind, record.args, record.keywords = kind, args, keywords
    record.state, record.pairs, record.members = None, [], []
    return record


def _called(path: str, kind: Name, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    check_call(path)
    if path in _CARRIERS:
        for given in args:
            if isinstance(given, Name):
                check_carried(given.path)
    if path == "builtins.getattr" and len(args) > 1 and isinstance(args[1], str):
        return named(f"{path_of(args[0])}.{args[1]}")
    if path in ("cloudpickle.subimport", "cloudpickle.dynamic_subimport") and args:
        return named(str(args[0]))
    if path == "cloudpickle._builtin_type" and args:
        return named(f"types.{args[0]}")
    if path in ("cloudpickle._make_skeleton_class", "cloudpickle._make_skeleton_enum"):
        return named(f"__main__.{args[1]}" if len(args) > 1 else "__main__.a class")
    if path.startswith("copyreg.") and args and isinstance(args[0], Name):
        return make_instance(args[0], args[2:], {})
    return make(kind, args, keywords)


def path_of(value: Any) -> str:
    """The dotted name of a `Name`, of a record's class, or of a plain value's type."""
    if isinstance(value, Name):
        return value.path
    return value.kind.path if isinstance(value, Record) else type(value).__name__


def is_a(value: Any, *paths: str) -> bool:
    """Whether `value` is a record of a call of, or of an instance of, one of these names."""
    return isinstance(value, Record) and value.kind.path in paths


def attributes(value: Any) -> dict[str, Any]:
    """What an object's attributes would have been: its state, whatever way it was given."""
    if not isinstance(value, Record):
        return {}
    state = value.state
    parts = state if isinstance(state, tuple) else (state,)  # (__dict__, __slots__), or __dict__
    return {
        key: item for part in parts for key, item in as_dict(part).items() if isinstance(key, str)
    }


def as_dict(value: Any) -> dict[Any, Any]:
    """A dict, or what was put into an OrderedDict; empty for anything else."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, Record):
        return {}
    given = as_list(value.args[0]) if value.args else []
    pairs = [pair for pair in given if isinstance(pair, list | tuple) and len(pair) == 2]
    return {key: item for key, item in [*pairs, *value.pairs] if isinstance(key, str | int)}


def as_list(value: Any) -> list[Any]:
    """A list, tuple or set, or the items of fastcore's L and of other records of lists."""
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if not isinstance(value, Record):
        return []
    held = attributes(value).get("items")
    if held is not None:
        return [] if held is value else as_list(held)
    given = [item for arg in value.args if isinstance(arg, list | tuple) for item in arg]
    return [*given, *value.members]


def walk(value: Any) -> Iterator[Record]:
    """Every record reachable from `value`, once each, without recursion."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        this = waiting.pop()
        if id(this) in seen:
            continue
        seen.add(id(this))
        if isinstance(this, Record):
            yield this
            waiting += [this.args, this.keywords, this.state, this.pairs, this.members]
        elif isinstance(this, dict):
            waiting += [*this.keys(), *this.values()]
        elif isinstance(this, list | tuple | set | frozenset):
            waiting += list(this)
