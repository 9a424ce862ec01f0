"""Pickles that mean harm, each of which really does it where plain `pickle` opens it."""

from __future__ import annotations

import builtins
import functools
import importlib
import operator
import os
import pickle
import runpy
import subprocess
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import torch
from fastcore import xtras


class Calls:
    """Unpickled, it calls `function(*arguments)`; both may be such calls themselves."""

    def __init__(self, function: Any, *arguments: Any):
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.function, self.arguments

    def __call__(self) -> None:
        """Never run; pickle asks that what it calls can be called."""


def _by_value(code: str) -> Any:
    """A function that travels as its code, as those from notebooks do."""
    namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins}
    exec(f"def label():\n    {code}", namespace)
    return namespace["label"]


def kinds(canary: Path) -> dict[str, tuple[str, Any]]:
    """What it is -> (what a refusal must name, an object whose unpickling writes `canary`)."""
    touch = f"touch '{canary}'"
    code = f"open({str(canary)!r}, 'w').close()"
    script = canary.with_suffix(".py")
    script.write_text(code)
    nested = canary.with_suffix(".pth")
    nested.write_bytes(pickle.dumps(Calls(os.system, touch)))
    objects = canary.with_suffix(".npy")
    np.save(objects, np.array([Calls(os.system, touch)], dtype=object), allow_pickle=True)
    return {
        "os.system": ("os.system", Calls(os.system, touch)),
        "eval": ("eval", Calls(eval, code)),
        "exec": ("exec", Calls(exec, code)),
        "import": ("__import__", Calls(Calls(getattr, Calls(builtins.__import__, "os"), "system"),
                                       touch)),
        "open": ("open", Calls(open, str(canary), "w")),
        "popen": ("subprocess.Popen", Calls(subprocess.Popen, ["touch", str(canary)])),
        "output": ("subprocess.check_output",
                   Calls(subprocess.check_output, ["touch", str(canary)])),
        "importlib": ("importlib.import_module", Calls(
            Calls(getattr, Calls(importlib.import_module, "os"), "system"), touch)),
        "getattr chain": ("os.system", Calls(
            Calls(getattr, Calls(cloudpickle.cloudpickle.subimport, "os"), "system"), touch)),
        "partial": ("eval", Calls(functools.partial(eval, code))),
        "called partial": ("Path.touch", Calls(
            Calls(functools.partial, Calls(getattr, Path(canary), "touch")))),
        "reduce": ("exec", Calls(functools.reduce, exec, [code, {}])),
        "methodcaller": ("operator.methodcaller", Calls(
            operator.methodcaller("touch"), Path(canary))),
        "method of a path": ("pathlib.Path.touch", Calls(Path.touch, Path(canary))),
        "rebuilt tensor": ("pathlib.Path.touch", Calls(
            torch._tensor._rebuild_from_type_v2, Path.touch, Path, (Path(canary),), {})),
        "torch.load": ("torch.load", Calls(
            functools.partial(torch.load, weights_only=False), str(nested))),
        "torch bytes": ("torch.storage._load_from_bytes", Calls(
            torch.storage._load_from_bytes, nested.read_bytes())),
        "numpy.load": ("numpy.load", Calls(
            functools.partial(np.load, allow_pickle=True), str(objects))),
        "object array": ("os.system", np.array([Calls(os.system, touch)], dtype=object)),
        "runpy": ("runpy.run_path", Calls(runpy.run_path, str(script))),
        "fastcore": ("fastcore.xtras.run", Calls(xtras.run, touch)),
        "cloudpickle": ("_make_function", Calls(_by_value(code))),
    }  # fmt: skip


KINDS = (
    "os.system", "eval", "exec", "import", "open", "popen", "output", "importlib",
    "getattr chain", "partial", "called partial", "reduce", "methodcaller", "method of a path",
    "rebuilt tensor", "torch.load", "torch bytes", "numpy.load", "object array", "runpy",
    "fastcore", "cloudpickle",
)  # fmt: skip

# Written by hand: what cannot be dumped here, or must not be run even to show that it would.
RAW: dict[str, tuple[str, bytes]] = {
    "pip": ("pip.main", b"cpip\nmain\n((lS'install'\naS'x'\natR."),
    "socket": ("socket.create_connection",
               b"csocket\ncreate_connection\n((S'127.0.0.1'\nI9\nttR."),
    "old opcode": ("os.system", b"(S'true'\nios\nsystem\n."),
    "object opcode": ("subprocess.Popen", b"(csubprocess\nPopen\nS'true'\no."),
    "shutil": ("shutil.rmtree", b"cshutil\nrmtree\n(S'/nonexistent'\ntR."),
    "dlopen": ("ctypes.CDLL", b"cctypes\nCDLL\n(S'/nonexistent.so'\ntR."),
    "timeit": ("timeit.timeit", b"ctimeit\ntimeit\n(S'1'\ntR."),
    "debugger": ("pdb.run", b"cpdb\nrun\n(S'1'\ntR."),
    "signal": ("os.kill", b"cposix\nkill\n(I0\nI0\ntR."),
    "threads": ("threading.start_new_thread",
                b"c_thread\nstart_new_thread\n(cbuiltins\nprint\n(ttR."),
    "torch.hub": ("torch.hub.load", b"ctorch.hub\nload\n(S'a/b'\nS'c'\ntR."),
    "torch.jit": ("torch.jit", b"ctorch.jit._serialization\nload\n(S'x'\ntR."),
    "compiler": ("torch.utils.cpp_extension.load",
                 b"ctorch.utils.cpp_extension\nload\n(S'x'\nS'y'\ntR."),
    "ffi": ("cffi.FFI", b"ccffi\nFFI\n(tR."),
    "joblib": ("joblib.load", b"cjoblib\nload\n(S'x'\ntR."),
    "registry": ("copyreg.add_extension", b"ccopy_reg\nadd_extension\n(S'a'\nS'b'\nI1\ntR."),
    "setattr": ("setattr", b"c__builtin__\nsetattr\n(cos\npath\nS'x'\nI1\ntR."),
    "a stranger's": ("evil.payload", b"cevil\npayload\n(S'x'\ntR."),
    "a stranger's eval": ("eval", b"c__builtin__\neval\n(S'1'\ntR."),
}  # fmt: skip
