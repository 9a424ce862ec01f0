"""Convert records of tensors and numbers to tensors and numbers; sizes are checked first."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from kezako.importer.allowlist import Refused, short
from kezako.importer.container import Export, Storage
from kezako.importer.records import Record, is_a, path_of

if TYPE_CHECKING:
    from torch import Tensor

_DTYPES = {"Double": "float64", "Float": "float32", "Half": "float16", "BFloat16": "bfloat16",
           "Long": "int64", "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8",
           "Bool": "bool"}  # fmt: skip
_MANY = 100  # numbers in one setting
_PLAIN_DTYPE = re.compile(r"[<>|=]?(?:[biuf][1248]|U\d{1,4})")


def to_tensor(value: Any, export: Export) -> Tensor:
    """The tensor that a record describes, on the CPU. Raises `Refused`."""
    if is_a(value, "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
            "torch.nn.parameter.Parameter"):  # fmt: skip
        return to_tensor(value.args[0] if value.args else None, export)
    if is_a(value, "torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type",
            "torch.tensor._rebuild_from_type", "fastai.torch_core._rebuild_from_type"):  # fmt: skip
        how, _, args = (*value.args, None, None, None)[:3]
        inner = path_of(how) in ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor")
        if inner and isinstance(args, tuple):
            return _rebuild(args, export)
    if is_a(value, "fastai.torch_core._fa_rebuild_tensor"):
        return _rebuild(value.args[1:], export)
    if is_a(value, "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"):
        return _rebuild(value.args, export)
    raise Refused(f"Where a tensor should be, the file holds a {short(path_of(value))}.")


def _rebuild(args: tuple[Any, ...], export: Export) -> Tensor:
    storage, offset, size, stride = (list(args) + [None] * 4)[:4]
    size, stride = _whole(size), _whole(stride)
    if not isinstance(storage, Storage) or not isinstance(offset, int) or offset < 0:
        raise Refused("The file is damaged: a tensor has no storage.")
    if size is None or stride is None or len(size) != len(stride) or len(size) > 8:
        raise Refused("The file is damaged: a tensor has no shape.")
    count = math.prod(size)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if count > storage.count or (count and last >= storage.count):
        raise Refused("The file is refused: a tensor claims to be larger than its numbers.")
    import torch  # lazy: importing it takes seconds, and what is refused above needs none

    if not count:
        return torch.empty(size)
    dtype = getattr(torch, _DTYPES[storage.kind])
    flat = torch.frombuffer(bytearray(export.read(storage)), dtype=dtype)
    return flat.as_strided(size, stride, offset).clone()


def _whole(values: Any) -> tuple[int, ...] | None:
    values = values.args[0] if is_a(values, "torch.Size") and values.args else values
    if isinstance(values, list | tuple) and all(type(v) is int and v >= 0 for v in values):
        return tuple(values)
    return None


def to_numbers(value: Any, export: Export) -> list[float] | None:
    """The numbers of a tensor, a list or a plain number; None for anything else."""
    if isinstance(value, Record) and value.kind.path.startswith(("torch.", "fastai.torch_core")):
        return [float(number) for number in to_tensor(value, export).float().flatten()[:_MANY]]
    if isinstance(value, list | tuple):
        numbers = [to_plain(item) for item in value[:_MANY]]
        return [float(n) for n in numbers if is_number(n)]
    plain = to_plain(value)
    return [float(plain)] if is_number(plain) else None


def is_number(value: Any) -> bool:
    """Whether `value` is a number that fits a float."""
    return isinstance(value, int | float) and (value != value or abs(value) < 1e300)


def to_plain(value: Any, depth: int = 1) -> Any:
    """A string, number, tuple or None, also from numpy's scalars; anything else stays a record.

    A tuple of more than 100 items stays as it is. Tuples may be nested `depth` deep, because shared
    ones double their size with each level; raises `Refused` for deeper ones.
    """
    if isinstance(value, list | tuple):
        if depth < 0:
            raise Refused("The file is refused: it holds numbers within numbers without end.")
        if len(value) > _MANY:
            return value
        return tuple(to_plain(item, depth - 1) for item in value)
    if is_a(value, "numpy.scalar") and len(value.args) == 2:
        return _numpy_scalar(*value.args)
    if is_a(value, "torch.Size", "fastcore.basics.fastuple", "fastcore.foundation.fastuple",
            "fastcore.utils.fastuple") and value.args:  # fmt: skip
        inner = value.args[0]
        return to_plain(inner, depth) if isinstance(inner, list | tuple) else value
    if isinstance(value, Record) and path_of(value).startswith("PIL.Image.") and value.args:
        return value.args[0]  # an enumeration, such as Resampling
    return value


def _numpy_scalar(dtype: Any, content: Any) -> Any:
    kind = dtype.args[0] if is_a(dtype, "numpy.dtype") and dtype.args else None
    if is_a(content, "_codecs.encode") and content.args and isinstance(content.args[0], str):
        content = content.args[0].encode("latin-1", "replace")  # protocol 2 writes bytes like this
    if not isinstance(kind, str) or not _PLAIN_DTYPE.fullmatch(kind):
        return content if isinstance(content, str) else None
    state = dtype.state if isinstance(dtype.state, tuple) else ()
    kind = (">" if ">" in state[:3] else "") + kind
    if not isinstance(content, bytes) or len(content) != np.dtype(kind).itemsize:
        return None
    return np.frombuffer(content, kind)[0].item()
