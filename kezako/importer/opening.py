"""Read how a learner opens its pictures: with fastai's classes, or with the user's own function.

Such a function is never run, so what it does to a picture is unknown. If the file shows that it
creates or changes pictures, it is refused by name; if it may do so, a warning is given.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from kezako.importer.allowlist import Refused, short
from kezako.importer.records import Name, OddKey, as_list, attributes, is_a, path_of

_MODES = {"fastai.vision.core.PILImage": "RGB", "fastai.vision.core.PILBase": "RGB",
          "fastai.vision.core.PILImageBW": "L"}  # fmt: skip
# Their functions only compute paths.
_KNOWN = ("fastai.", "fastcore.", "operator.", "pathlib.", "builtins.")
_OPENERS_HOME = "fastai.vision.core"
_FUNCTIONS = ("cloudpickle._make_function", "cloudpickle._make_skel_func")
_PATHS = ("pathlib.", "builtins.str")


@dataclass
class Opening:
    """How pictures are opened."""

    mode: str  # "RGB" or "L"
    after: list[Any] = field(default_factory=list)  # steps after opening the picture
    doubts: list[str] = field(default_factory=list)  # functions whose effect is unknown


def read_opening(inputs: dict[str, Any], skip: Collection[str]) -> Opening:
    """How the pictures' TfmdLists opens them. Raises `Refused`, naming what is unknown."""
    steps = as_list(attributes(inputs.get("tfms")).get("fs"))
    types = [path_of(kind) for kind in as_list(inputs.get("types"))]
    at = next((i for i, step in enumerate(steps) if _opener(step) in _MODES), None)
    if at is None:
        return _opened_otherwise(steps, types[-1] if types else "", skip)
    opening = Opening(_MODES[_opener(steps[at])], steps[at + 1 :])
    own = [called(step) for step in steps[:at] if not _is_known(step)]
    given = _given(steps[at])
    if not own or (given and all(kind.startswith(_PATHS) for kind in given)):
        return opening
    if given and not set(own) <= set(skip):
        raise Refused(
            f"The file's pictures come from a function of its maker's own ({_list(own)}), which "
            f"is not run: what it does to a picture is not known. {_ways_out(own)}"
        )
    opening.doubts += own
    return opening


def _opened_otherwise(steps: list[Any], kind: str, skip: Collection[str]) -> Opening:
    own = [called(step) for step in steps if not _is_known(step)]
    if not own or (kind.startswith("fastai.") and kind not in _MODES):
        what = kind.rpartition(".")[2] or "something else"
        raise Refused(
            f"The learner does not look at pictures, but at {short(what)}. "
            "Only image classifiers can be put on a page."
        )
    if not set(own) <= set(skip):
        raise Refused(
            f"The file opens its pictures by a function of its maker's own ({_list(own)}), which "
            f"is not run: what it does to a picture is not known. {_ways_out(own)}"
        )
    return Opening(_MODES.get(kind, "RGB"), doubts=own)


def _ways_out(own: list[str]) -> str:
    given = " ".join(f"--skip {shlex.quote(short(name))}" for name in own)
    return (
        f"If it leaves pictures as they are, say so: {given}. Else do once to the pictures' files "
        "what it does, and train on those with fastai's ImageBlock."
    )


def _list(names: list[str]) -> str:
    return ", ".join(short(name) for name in names[:5])


def called(step: Any) -> str:
    """The name of a step: its class, or the function that a plain Transform wraps."""
    held = attributes(step).get("_name")
    plain = path_of(step).rpartition(".")[2]
    return held if plain == "Transform" and isinstance(held, str) else plain


def wrapped(step: Any) -> Any:
    """The function that a plain Transform wraps, a `Name` or a record; None for other steps."""
    if path_of(step).rpartition(".")[2] != "Transform":
        return None
    held = attributes(step)
    return held.get("init_enc") or attributes(held.get("encodes")).get("_f")


def _opener(step: Any) -> str:
    """The class whose `create` a step calls; "" for any other step."""
    function = wrapped(step)
    if isinstance(function, Name):
        owner, _, method = function.path.rpartition(".")
        return owner if method == "create" else ""
    # A method that is pickled by value (its code), bound to its class.
    if not is_a(function, "types.MethodType") or len(function.args) != 2:
        return ""
    method, owner = function.args
    return path_of(owner) if _home(method) == _OPENERS_HOME and _is_named(method) else ""


def _home(function: Any) -> str:
    """The module of a function that is pickled by value; "" if it is not given."""
    held = function.args[1] if is_a(function, *_FUNCTIONS) and len(function.args) > 1 else None
    name = held.get("__name__") if isinstance(held, dict) else None
    return name if isinstance(name, str) else ""


def _is_named(function: Any) -> bool:
    code = function.args[0]
    return is_a(code, "types.CodeType") and any(
        isinstance(arg, str) and arg == "create" for arg in code.args
    )


def _is_known(step: Any) -> bool:
    """Whether a step is from fastai or Python and gets a path out of an item."""
    function = wrapped(step)
    if function is None:
        return path_of(step).startswith(_KNOWN)
    if is_a(function, "types.MethodType") and function.args:
        function = function.args[0]
    return f"{_home(function)}.".startswith(_KNOWN) or path_of(function).startswith(_KNOWN)


def _given(step: Any) -> list[str]:
    """The types that a step was called with in training; empty if the file does not say."""
    encodes = attributes(attributes(step).get("encodes"))
    for held in (encodes.get("_cache"), attributes(encodes.get("funcs")).get("cache")):
        if isinstance(held, dict) and held:
            keys = [key.key for key in held if isinstance(key, OddKey)]
            return [path_of(key[0] if isinstance(key, tuple) and key else key) for key in keys]
    return []
