"""Allowlists: which names an export may contain, and which it may ask to call.

No name is ever imported and no call is ever made: see `records`. The lists are there so that a
malicious file is refused by name, instead of being imported with its payload ignored.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from kezako.errors import KezakoError

MAX_FILE = 2 * 2**30  # bytes; the largest models of fastai have a quarter of that
_LONGEST = 1000  # characters of a name


class Refused(KezakoError):
    """The file is not accepted; the message names the reason and says what to do."""


# Module names in Python 2's pickles and of C modules -> the usual names.
_MODULES = {"__builtin__": "builtins", "copy_reg": "copyreg", "posix": "os", "nt": "os",
            "_operator": "operator", "_functools": "functools", "_io": "io", "_pickle": "pickle",
            "_socket": "socket", "_thread": "threading", "_ctypes": "ctypes", "_imp": "importlib",
            "_posixsubprocess": "subprocess", "_frozen_importlib": "importlib",
            "_collections": "collections", "_abcoll": "collections.abc",
            "_collections_abc": "collections.abc", "pathlib._local": "pathlib",
            "commands": "subprocess",
            "cloudpickle.cloudpickle_fast": "cloudpickle", "cloudpickle.cloudpickle": "cloudpickle",
            "torch.serialization": "torch"}  # fmt: skip
# NumPy's internal homes of its functions; the public name has neither "core" nor the submodule.
_NUMPY_CORE = re.compile(r"numpy\._?core(\.\w+)?")
_NAMES = {"builtins.unicode": "builtins.str", "builtins.long": "builtins.int",
          "builtins.xrange": "builtins.range", "builtins.reduce": "functools.reduce",
          "builtins.execfile": "builtins.exec"}  # fmt: skip

# Standard library modules that an export may mention: types and harmless helpers.
_HARMLESS = {"typing", "types", "abc", "re", "math", "posixpath", "ntpath", "string", "itertools",
             "inspect", "enum", "dataclasses", "numbers", "fractions", "decimal", "datetime",
             "collections", "pathlib", "random", "uuid", "time", "copy", "json", "csv", "glob",
             "fnmatch", "hashlib", "base64", "binascii", "textwrap", "unicodedata", "statistics",
             "bisect", "heapq", "struct", "array", "contextlib", "logging", "warnings", "zoneinfo",
             "calendar", "pprint", "difflib", "operator"}  # fmt: skip
_BUILTINS = {"str", "int", "float", "bool", "bytes", "bytearray", "complex", "object", "type",
             "list", "tuple", "dict", "set", "frozenset", "slice", "range", "property", "super",
             "staticmethod", "classmethod", "print", "len", "min", "max", "sum", "abs", "round",
             "sorted", "reversed", "zip", "map", "filter", "enumerate", "isinstance", "issubclass",
             "repr", "hash", "id", "iter", "next", "any", "all", "getattr", "hasattr", "NoneType",
             "Ellipsis", "NotImplemented", "Exception", "ValueError", "TypeError", "KeyError",
             "AttributeError", "IndexError", "RuntimeError", "StopIteration"}  # fmt: skip
_FUNCTIONAL = {"functools.partial", "functools.partialmethod", "functools.lru_cache",
               "functools.cmp_to_key", "functools.cached_property", "functools.update_wrapper",
               "functools.reduce", "functools.wraps", "operator.or_", "operator.getitem",
               "operator.attrgetter", "operator.itemgetter", "operator.lt", "operator.gt",
               "operator.eq", "operator.mul", "operator.add", "operator.methodcaller",
               "copyreg._reconstructor", "copyreg.__newobj__", "copyreg.__newobj_ex__",
               "_codecs.encode"}  # fmt: skip

# torch and numpy: all functions of numbers, but none that opens files.
_FILES = {"torch.load", "torch.save", "torch.compile", "torch.from_file", "numpy.load",
          "numpy.save", "numpy.savez", "numpy.savez_compressed", "numpy.savetxt", "numpy.loadtxt",
          "numpy.fromfile", "numpy.fromregex", "numpy.genfromtxt", "numpy.memmap",
          "numpy.DataSource"}  # fmt: skip
_PARTS = ("torch.nn.", "torch.optim.", "torch.cuda.amp.", "torch.amp.", "torch.utils.data.",
          "torch.functional.", "torch.distributions.", "torch.linalg.", "torch.special.",
          "torch.fft.", "torch.autograd.", "torch._C._nn.", "torch._C._special.",
          "torch._C._linalg.", "torch._C._fft.", "torch._C._VariableFunctions",
          "numpy.random.", "numpy.linalg.", "numpy.ma.", "numpy.matrixlib.", "numpy.rec.",
          "numpy.fft.", "numpy.polynomial.")  # fmt: skip
# What pandas, pyarrow, dates and loggers are rebuilt with; DataFrames and time zones may be in
# an export.
_TABLES = re.compile(
    r"pandas\.(?:_libs|core|arrays)\.(?:\w+\.)*(?:_new_\w+|\w*_unpickle\w*|new_block|[A-Z]\w*)"
    r"|pyarrow\.(?:lib\.)?(?:_restore_array|type_for_alias|chunked_array|py_buffer|field|schema"
    r"|(?:large_)?(?:string|binary|list_?)|_reconstruct_\w+|[A-Z]\w*)"
    r"|pytz\._(?:UTC|p)|zoneinfo\.ZoneInfo\._unpickle|logging\.getLogger"
)
_REBUILT = {f"torch._utils.{name}" for name in (
    "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter",
    "_rebuild_parameter_with_state")} | {
    "torch._tensor._rebuild_from_type", "torch._tensor._rebuild_from_type_v2",
    "torch.tensor._rebuild_from_type", "fastai.torch_core._fa_rebuild_tensor",
    "fastai.torch_core._rebuild_from_type"}  # fmt: skip
_CLOUDPICKLE = {f"cloudpickle.{name}" for name in (
    "_make_function", "_function_setstate", "_builtin_type", "subimport", "dynamic_subimport",
    "_make_cell", "_make_empty_cell", "_make_skeleton_class", "_class_setstate",
    "_make_skeleton_enum", "_make_typevar", "_make_dict_keys", "_make_dict_values",
    "_make_dict_items", "_empty_cell_value", "_fill_function", "_make_skel_func",
    "_rehydrate_skeleton_class", "_get_cell_contents", "_gen_ellipsis", "_gen_not_implemented",
    "instance", "_BUILTIN_TYPE_NAMES")}  # fmt: skip

# Calling these would only create an object, if they were called.
_CALLED = {
    *(f"builtins.{name}" for name in (
        "getattr", "set", "frozenset", "bytes", "bytearray", "complex", "object", "slice",
        "range", "list", "dict", "tuple", "str", "int", "float", "bool", "type", "property",
        "classmethod", "staticmethod")),
    *_FUNCTIONAL, *_REBUILT, *_CLOUDPICKLE,
    *(f"collections.{name}" for name in ("OrderedDict", "defaultdict", "Counter", "deque")),
    *(f"pathlib.{name}" for name in (
        "Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath")),
    *(f"datetime.{name}" for name in ("date", "datetime", "time", "timedelta", "timezone")),
    "random.Random", "uuid.UUID", "decimal.Decimal", "fractions.Fraction", "re._compile",
    "inspect._ParameterKind", "inspect.Parameter", "inspect.Signature",
    "types.CodeType", "types.CellType", "types.MethodType", "types.SimpleNamespace",
    "types.GenericAlias", "types.MappingProxyType", "collections.abc._CallableGenericAlias",
    "typing.Union", "typing.TypeVar",
    "torch.device", "torch.Size", "torch.nn.parameter.Parameter",
    "PIL.Image.Resampling", "PIL.Image.Transpose", "PIL.Image.Dither",
    "torchvision.transforms.functional.InterpolationMode",
    *(f"numpy.{name}" for name in (
        "dtype", "scalar", "_reconstruct", "_frombuffer", "ndarray", "_ufunc_reconstruct",
        "random._pickle.__randomstate_ctor", "random._pickle.__bit_generator_ctor",
        "random._pickle.__generator_ctor")),
}  # fmt: skip

# The packages of most classes in fastai's exports. Their objects become records like any other.
_FAMILY = {"fastai", "fastcore", "fasttransform", "fastprogress", "plum", "torchvision", "timm",
           "PIL"}  # fmt: skip
# Third-party packages that a classifier has no reason to mention.
_RUNNERS = {"pip", "_pip", "setuptools", "pkg_resources", "distutils", "IPython", "joblib",
            "ipykernel", "nbconvert", "papermill", "pexpect", "paramiko", "fabric", "invoke", "sh",
            "requests", "httpx", "aiohttp", "urllib3", "webbrowser", "numba", "cffi",
            "jupyter_core"}  # fmt: skip
_OWN = {"torch", "numpy", "cloudpickle"}  # with their own lists above


def joined(*parts: Any) -> str:
    """Strings of the file as a dotted path. Raises `Refused` for other types or long names."""
    if not all(isinstance(part, str) for part in parts):
        raise Refused("The file is refused: a name in it is not text.")
    if sum(map(len, parts)) > _LONGEST:
        raise Refused(f"The file is refused: a name in it has more than {_LONGEST} letters.")
    return ".".join(parts)


def written(module: str, name: str) -> str:
    """A pickle's module and name as one dotted path with the usual names, such as "os.system".

    Raises `Refused` if it is too long.
    """
    if module.split(".")[0] == "fastai2":  # fastai 2's name before its release
        module = module.replace("fastai2", "fastai", 1)
    joined(module, name)  # checks the length before anything is searched
    if _NUMPY_CORE.fullmatch(module):
        module = "numpy"
    path = f"{_MODULES.get(module, module)}.{name}"
    return _NAMES.get(path, path)


def short(path: str) -> str:
    """`path` for a message: without control characters, at most 100 characters."""
    text = path[: 2 * _LONGEST].removeprefix("builtins.")
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= 100 else f"{text[:97]}..."


def may_mention(path: str) -> bool:
    """Whether an export may contain the name `path`."""
    root, _, rest = path.partition(".")
    if path in _CALLED:
        return True
    if root == "builtins":
        return rest.split(".")[0] in _BUILTINS
    if root in ("torch", "numpy"):
        file = path in _FILES or path.endswith("from_file")
        return not file and ("." not in rest or path.startswith(_PARTS))
    if root in sys.stdlib_module_names:
        return root in _HARMLESS
    return root not in _RUNNERS


def may_call(path: str) -> bool:
    """Whether a pickle may ask to call `path`; the call is recorded, never made.

    Of fastai's packages, classes may be called (enums are pickled as calls), but no functions.
    """
    own = path.partition(".")[0] in _FAMILY and path.rpartition(".")[2][:1].isupper()
    return own or path in _CALLED or _TABLES.fullmatch(path) is not None


def may_make(path: str) -> bool:
    """Whether a pickle may contain an instance of `path`; it is recorded, never created.

    Pickle creates instances without calling the class, so not even unpickling would run any of its
    code. That is why instances of third-party classes (callbacks, metrics) are accepted.
    """
    return may_mention(path)


def is_foreign(path: str) -> bool:
    """Whether `path` is the user's own code, or from a library that fastai does not need."""
    root = path.split(".")[0]
    return root not in sys.stdlib_module_names and root not in _FAMILY | _OWN


def check_mention(path: str) -> None:
    """Raise `Refused` for a name that an export has no reason to contain."""
    if path.startswith("dill."):
        raise Refused(
            "The file was written with dill, which packs programs into a file: refused; no code in "
            "it ran. If you made it, export again with learn.export(), without pickle_module."
        )
    if not may_mention(path):
        raise Refused(
            f"This file wants to call {short(path)}: refused; no code in it ran. "
            "A classifier's export has no reason to name that. Do not open it with fastai either."
        )


def check_call(path: str) -> None:
    """Raise `Refused` for a call that a classifier's export has no reason to make."""
    if may_call(path):
        return
    if is_foreign(path) and may_mention(path):
        raise Refused(
            f"This file wants to call {short(path)}, which is no part of fastai: refused; no code "
            "in it ran. If you made the file and that belongs to a callback or a metric, "
            "remove it before learn.export()."
        )
    raise Refused(f"This file wants to call {short(path)}: refused; no code in it ran.")


def check_carried(path: str) -> None:
    """Raise `Refused` for a function that is an argument of a call and would be called later."""
    check_mention(path)
    if path.partition(".")[0] in _HARMLESS - {"operator"}:
        check_call(path)
