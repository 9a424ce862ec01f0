"""Write a learner's model as ONNX: picture -> logits, features and map, in fp32 and in int8.

The head is also written alone, so that "why" can run it on a changed feature map.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.utils import Extractor
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

from kezako.model.classifier import Floats
from kezako.model.runtime import Model


class _ThreeOutputs(nn.Module):
    """fastai's body and head, with features and feature map as additional outputs."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.body, self.pool, self.head = _parts(model)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        cells = self.body(pictures)  # (N, 3, S, S) -> (N, K, h, w)
        features = self.pool(cells)  # (N, F): the greatest of each channel, then the means
        return self.head(features), features, cells  # (N, C), (N, F), (N, K, h, w)


def write_fp32(model: nn.Module, size: int, path: Path) -> None:
    """Write `model` (fastai's body and head) for any batch size and pictures of `size` x `size`."""
    with _quietly():
        torch.onnx.export(
            _ThreeOutputs(model).eval(),
            (torch.zeros(2, 3, size, size),),
            str(path),
            input_names=["pictures"],
            output_names=["logits", "features", "map"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def write_head(fp32: Path, size: int, path: Path) -> None:
    """Write what "why" needs: the layers after the pooling, and the body's output for plain grey.

    They are cut out of `fp32`, a file of `write_fp32`: features (M, F) -> logits (M, C), grey
    (K, h, w).
    """
    model = Extractor(onnx.load(fp32)).extract_model(["features"], ["logits"])
    pictures = np.zeros((1, 3, size, size), np.float32)  # 0 is the mean colour after normalisation
    grey = Model(fp32.read_bytes()).run(["map"], {"pictures": pictures})[0][0]
    model.graph.initializer.append(numpy_helper.from_array(grey, "plain"))
    model.graph.node.append(helper.make_node("Identity", ["plain"], ["grey"]))
    model.graph.output.append(helper.make_tensor_value_info("grey", TensorProto.FLOAT, grey.shape))
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _parts(model: nn.Module) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Body, pooling (AdaptiveConcatPool2d and Flatten), and the rest of the head."""
    body, head = model[0], model[1]  # type: ignore[index]
    layers = list(head)  # not `children()`, which lists a shared layer only once
    return body, nn.Sequential(*layers[:2]), nn.Sequential(*layers[2:])


def write_int8(
    fp32: Path,
    calibration: Sequence[Floats],  # pictures, each (3, S, S), for the ranges of activations
    path: Path,
    fp32_layers: int,  # how many of the first convolutions stay in fp32
) -> None:
    """Quantise the convolutions of `fp32`.

    Activations are unsigned and weights are signed per channel, which is fastest on x86 and ARM.
    The head stays in fp32: it takes no time, and the answer depends on it. The first convolution
    loses most in int8 (on bears, without it the error of the logits falls by a third).
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
            nodes_to_exclude=_kept_in_fp32(prepared, fp32_layers),
        )


def _kept_in_fp32(path: Path, count: int) -> list[str]:
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
    """Suppress what exporters print and warn: the notebook's output is for the maker."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
