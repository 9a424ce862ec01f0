"""ONNX Runtime with Kezako's options: a model loads from checked bytes and runs with a timeout."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

# Otherwise ONNX Runtime sends telemetry to its maker, from a thread that makes forking unsafe.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from kezako import environment
from kezako.errors import KezakoError
from kezako.model.bundle import BundleError

Floats = npt.NDArray[np.float32]

SECONDS = 20.0  # for one picture: a hundred times what a small host needs
# This optimizer makes a model's max pooling run in 8 bits, which has no fast kernel. Without it the
# numbers are the same, and an int8 resnet18 takes a quarter of the time.
SLOWER = ["QDQPropagationTransformer"]


class TookTooLong(KezakoError):
    """A classification that ran into its timeout; the next one can start at once."""


class Model:
    """A model with one input. It is made from the bytes of a file, never from its path.

    With a path, a model could read other files of the machine ("external data").
    """

    def __init__(
        self,
        content: bytes,
        threads: int = 0,  # for one batch; 0: $KEZAKO_THREADS, else one per physical core
    ):
        options = ort.SessionOptions()
        # 0 leaves it to ONNX Runtime.
        options.intra_op_num_threads = threads or _setting("THREADS") or 0
        options.log_severity_level = 3
        # The arena would keep what the largest batch needed: 5 MB per visitor, and no faster.
        options.enable_cpu_mem_arena = False
        self._session = ort.InferenceSession(
            content, options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOWER
        )
        self.inputs = _shapes(self._session.get_inputs())
        self.outputs = _shapes(self._session.get_outputs())
        self._seconds = patience()

    def run(
        self,
        outputs: Sequence[str],  # names of the outputs to compute
        given: Mapping[str, Floats],
        pictures: int = 1,  # in the batch; the timeout grows with them
    ) -> list[Floats]:
        """The outputs, in that order. Raises `TookTooLong`."""
        with _given_up_after(self._seconds * pictures) as options:
            return list(self._session.run(list(outputs), dict(given), options))


def _shapes(values: Sequence[ort.NodeArg]) -> dict[str, list[int]]:
    """Name -> shape, with -1 for a dynamic axis."""
    return {
        value.name: [side if isinstance(side, int) else -1 for side in value.shape]
        for value in values
    }


def patience(given: Mapping[str, str] | None = None) -> float:
    """Timeout for one picture, in seconds. Raises `BundleError` if the setting is not a number."""
    return _setting("PATIENCE", given) or SECONDS


def _setting(name: str, given: Mapping[str, str] | None = None) -> Any:
    try:
        return environment.read(name, given)
    except KezakoError as error:
        raise BundleError(str(error)) from None


@contextmanager
def _given_up_after(seconds: float) -> Iterator[ort.RunOptions]:
    options = ort.RunOptions()
    late = threading.Event()

    def give_up() -> None:
        late.set()
        options.terminate = True  # checked between two layers

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield options
    except Exception as error:
        if late.is_set():
            raise TookTooLong(f"The classification took longer than {seconds:g} s.") from error
        raise
    finally:
        timer.cancel()
        timer.join()  # no thread may be left if this process forks next
