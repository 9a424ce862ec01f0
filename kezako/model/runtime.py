"""ONNX Runtime as everything that answers uses it: from checked bytes, and with patience."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

# Else ONNX Runtime reports to its maker over the network, from a thread that bars forking.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from kezako import environment
from kezako.errors import KezakoError
from kezako.model.bundle import BundleError

Floats = npt.NDArray[np.float32]

SECONDS = 20.0  # for one picture: a hundred times what a small host needs
# It has a model's max pooling done in 8 bits, for which there is no fast kernel: the same numbers,
# and a quarter of an int8 resnet18's time.
SLOWER = ["QDQPropagationTransformer"]


class TookTooLong(KezakoError):
    """A classification that was given up; the next one is not hindered."""


class Model:
    """A model of one input; made from the bytes of a file, never from its path.

    A path would let a model reach for other files of the machine ("external data").
    """

    def __init__(
        self,
        content: bytes,
        threads: int = 0,  # for one batch; 0: $KEZAKO_THREADS, else one a physical core
    ):
        options = ort.SessionOptions()
        # 0 leaves it to ONNX Runtime.
        options.intra_op_num_threads = threads or _setting("THREADS") or 0
        options.log_severity_level = 3
        # The arena would keep what the largest batch needed: 5 MB for each visitor, no faster.
        options.enable_cpu_mem_arena = False
        self._session = ort.InferenceSession(
            content, options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOWER
        )
        self.inputs = _shapes(self._session.get_inputs())
        self.outputs = _shapes(self._session.get_outputs())
        self._seconds = patience()

    def run(
        self,
        outputs: Sequence[str],  # the names of those wanted
        given: Mapping[str, Floats],
        pictures: int = 1,  # that many may take that much longer
    ) -> list[Floats]:
        """The wanted outputs. Raises `TookTooLong`."""
        with _given_up_after(self._seconds * pictures) as options:
            return list(self._session.run(list(outputs), dict(given), options))


def _shapes(values: Sequence[ort.NodeArg]) -> dict[str, list[int]]:
    """Name -> its shape, with -1 where that is open."""
    return {
        value.name: [side if isinstance(side, int) else -1 for side in value.shape]
        for value in values
    }


def patience(given: Mapping[str, str] | None = None) -> float:
    """Seconds that one picture may take. Raises `BundleError` where the setting is no number."""
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
        options.terminate = True  # looked at between two layers

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
        timer.join()  # a process that is forked next must have no thread left
