"""A learner's model as ONNX: picture -> logits and features, in fp32 and in int8."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

from kezako.classifier import Floats


class _TwoOutputs(nn.Module):
    """fastai's body and head, with what stands between them as a second output."""

    def __init__(self, model: nn.Module):
        super().__init__()
        body, head = model.children()
        layers = list(head.children())
        self.features = nn.Sequential(body, *layers[:2])  # the body, AdaptiveConcatPool2d, Flatten
        self.head = nn.Sequential(*layers[2:])

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(pictures)  # (N, 3, S, S) -> (N, F)
        return self.head(features), features  # (N, C), (N, F)


def write_fp32(model: nn.Module, size: int, path: Path) -> None:
    """Write `model` (fastai's body and head) for batches of any length of `size` x `size`."""
    pictures = torch.zeros(2, 3, size, size)
    with _quietly():
        torch.onnx.export(
            _TwoOutputs(model).eval(),
            (pictures,),
            str(path),
            input_names=["pictures"],
            output_names=["logits", "features"],
            dynamic_shapes={"pictures": {0: torch.export.Dim("batch")}},
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def write_int8(
    fp32: Path,
    calibration: Sequence[Floats],  # pictures, each (3, S, S), for the ranges of activations
    path: Path,
    spared: int,  # how many convolutions from the input on stay in fp32
) -> None:
    """Quantise the convolutions of `fp32`.

    Unsigned activations, signed weights a channel: what x86 and ARM multiply fastest. The head
    stays in fp32: it costs nothing, and the answer hangs on it. Of the convolutions the first
    loses most (measured on bears: without it the logits' error falls by a third).
    """
    with tempfile.TemporaryDirectory() as folder, _quietly():
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(fp32), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(path),
            _Reader(calibration),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            calibrate_method=CalibrationMethod.MinMax,
            nodes_to_exclude=_spared(prepared, spared),
        )


def _spared(path: Path, count: int) -> list[str]:
    nodes = onnx.load(path).graph.node
    convolutions = [node.name for node in nodes if node.op_type == "Conv"]
    head = [node.name for node in nodes if node.op_type in ("Gemm", "BatchNormalization")]
    return convolutions[:count] + head


class _Reader(CalibrationDataReader):
    def __init__(self, pictures: Sequence[Floats]):
        self._pictures: Iterator[Floats] = iter(pictures)

    def get_next(self) -> dict[str, Floats] | None:
        picture = next(self._pictures, None)
        return None if picture is None else {"pictures": picture[None]}


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Exporters print their steps; the notebook is for the maker's own."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
