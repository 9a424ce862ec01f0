"""Records of what a pickle asks for; none of it is done.

A pickle is a program: it names functions and classes, calls them, and sets attributes. Here
every name becomes a `Name` and every object a `Record`, which store what they were given and do
nothing. No class, function or code of the file, of Python or of a library is ever used.

A file may put anything anywhere, including nested tuples whose size doubles with each level. So
nothing read here may be printed, hashed or compared before it is known to be plain.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kezako.importer.allowlist import Refused, check_call, check_carried, joined, may_make, short

# Calls whose arguments are functions to be called later: those are checked, too.
_CARRIERS = {"functools.partial", "functools.reduce", "types.MethodType",
             "torch._tensor._rebuild_from_type", "torch._tensor._rebuild_from_type_v2",
             "torch.tensor._rebuild_from_type", "fastai.torch_core._rebuild_from_type"}  # fmt: skip

_FEW = 20  # arguments that are checked
_SMALL = 2**31  # below this, integers cannot be chosen so that very many hashes collide


class Name:
    """A class or function that a pickle names."""

    __slots__ = ("path",)

    def __init__(self, path: str):
        self.path = path  # such as "os.system"

    def __repr__(self) -> str:
        return self.path


class Record:
    """An object in a pickle, or the result of a call in it."""

    __slots__ = ("args", "keywords", "kind", "members", "pairs", "state")

    def __init__(self, kind: Name, args: tuple[Any, ...], keywords: Any = None):
        self.kind = kind  # what was called, or the class of the instance
        self.args = args
        self.keywords = keywords
        self.state: Any = None  # the argument of its __setstate__, or its __dict__
        self.pairs: list[tuple[Any, Any]] | None = None  # items that would have been set by key
        self.members: list[Any] | None = None  # items that would have been appended or added

    def put(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        """Record items that would have been set by key."""
        self.pairs = self.pairs or []  # created late: most records have none
        self.pairs.extend(pairs)

    def extend(self, items: Iterable[Any]) -> None:
        """Record items that would have been appended or added."""
        self.members = self.members or []
        self.members.extend(items)

    def __repr__(self) -> str:
        return f"<{self.kind.path}>"


class OddKey:
    """Wraps a key that is neither a string nor a small number, so that it is never hashed."""

    __slots__ = ("key",)

    def __init__(self, key: Any):
        self.key = key


def make_instance(kind: Name, args: tuple[Any, ...], keywords: Any = None) -> Record:
    """An instance as pickle creates it, without calling the class. Raises `Refused`."""
    if not may_make(kind.path):
        raise Refused(f"This file wants to make a {short(kind.path)}: refused; no code in it ran.")
    return Record(kind, args, keywords)


def call(kind: Name, args: tuple[Any, ...]) -> Any:
    """A stand-in for the result of a call. Raises `Refused`."""
    path = kind.path
    check_call(path)
    if path in _CARRIERS:
        for given in args:
            if isinstance(given, Name):
                check_carried(given.path)
    first, second = (*args[:2], None, None)[:2]
    if path == "builtins.getattr" and isinstance(second, str):
        return Name(joined(path_of(first), second))
    if path in ("cloudpickle.subimport", "cloudpickle.dynamic_subimport") and args:
        return Name(joined(first))
    if path == "cloudpickle._builtin_type" and args:
        return Name(joined("types", first))
    if path in ("cloudpickle._make_skeleton_class", "cloudpickle._make_skeleton_enum"):
        return Name(joined("__main__", second if isinstance(second, str) else "a class"))
    if path.startswith("copyreg.") and isinstance(first, Name):
        return make_instance(first, args[2:])
    return Record(kind, args)


def call_record(what: Record, args: tuple[Any, ...]) -> Any:
    """A stand-in for the call of an object that the pickle created. Raises `Refused`.

    Only partial functions are allowed, which DataFrames use; the functions in them are checked.
    """
    held = what.state if isinstance(what.state, tuple) else ()
    given = [function for function in (*what.args[:1], *held[:1]) if isinstance(function, Name)]
    if what.kind.path != "functools.partial" or not given:
        raise Refused(
            f"This file wants to call what {short(what.kind.path)} brings: refused; no code in it "
            "ran."
        )
    for function in given:
        call(function, (*what.args[1:_FEW], *args[:_FEW]))
    return Record(given[-1], args)


def path_of(value: Any) -> str:
    """The dotted name of a `Name`, of a record's class, or of a plain value's type."""
    if isinstance(value, Name):
        return value.path
    return value.kind.path if isinstance(value, Record) else type(value).__name__


def is_a(value: Any, *paths: str) -> bool:
    """Whether `value` is the record of a call to, or an instance of, one of these names."""
    return isinstance(value, Record) and value.kind.path in paths


def attributes(value: Any) -> dict[str, Any]:
    """The attributes that an object would have had, from any form of its state."""
    if not isinstance(value, Record):
        return {}
    state = value.state
    parts = state[:2] if isinstance(state, tuple) else (state,)  # (__dict__, __slots__), or one
    return {
        key: item for part in parts for key, item in as_dict(part).items() if isinstance(key, str)
    }


def is_plain_key(key: Any) -> bool:
    """Whether `key` is a string or a small number, which cannot be slow to hash or look up."""
    return type(key) in (str, bool, type(None)) or (type(key) is int and -_SMALL < key < _SMALL)


def as_dict(value: Any) -> dict[Any, Any]:
    """A dict, or the items of an OrderedDict; empty for anything else."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, Record):
        return {}
    given = as_list(value.args[0]) if value.args else []
    pairs = [pair for pair in given if isinstance(pair, list | tuple) and len(pair) == 2]
    return {key: item for key, item in [*pairs, *(value.pairs or ())] if is_plain_key(key)}


def as_list(value: Any) -> list[Any]:
    """A list, tuple or set, or the items of fastcore's `L` and of other records of lists."""
    if isinstance(value, list | tuple):
        return list(value)
    if not isinstance(value, Record):
        return []
    held = attributes(value).get("items")
    if held is not None:
        return [] if held is value else as_list(held)
    given = [item for arg in value.args if isinstance(arg, list | tuple) for item in arg]
    return [*given, *(value.members or ())]
