"""Small real models whose answer hangs on where a picture is coloured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from kezako.model.bundle import HEAD, MODEL, amend, read_card

SIZE = 32  # pixels a side, as the bundles of tests/conftest.py
CELLS = 4  # a side: each is the mean colour of 8 x 8 pixels


def tells_why(folder: Path, weight: float = 4.0) -> Path:
    """Give a bundle of three labels a model with a map: they stand for red, green and blue."""
    labels = len(read_card(folder).labels)
    weights = np.zeros((6, labels), np.float32)  # of the greatest, then the means
    weights[np.arange(3), np.arange(3)] = weights[3 + np.arange(3), np.arange(3)] = weight
    amend(folder, {MODEL: _model(weights), HEAD: _head(weights)})
    return folder


def _model(weights: np.ndarray) -> bytes:
    step = SIZE // CELLS
    nodes = [
        helper.make_node("AveragePool", ["pictures"], ["means"], kernel_shape=[step] * 2,
                         strides=[step] * 2),
        helper.make_node("Relu", ["means"], ["map"]),
        helper.make_node("GlobalMaxPool", ["map"], ["greatest"]),
        helper.make_node("GlobalAveragePool", ["map"], ["mean"]),
        helper.make_node("Concat", ["greatest", "mean"], ["both"], axis=1),
        helper.make_node("Flatten", ["both"], ["features"]),
        helper.make_node("MatMul", ["features", "weights"], ["logits"]),
    ]  # fmt: skip
    return _graph(
        nodes,
        {"pictures": ["N", 3, SIZE, SIZE]},
        {"logits": ["N", weights.shape[1]], "features": ["N", 6], "map": ["N", 3, CELLS, CELLS]},
        {"weights": weights},
    ).SerializeToString()


def _head(weights: np.ndarray) -> bytes:
    nodes = [
        helper.make_node("MatMul", ["features", "weights"], ["logits"]),
        helper.make_node("Identity", ["plain"], ["grey"]),
    ]
    return _graph(
        nodes,
        {"features": ["N", 6]},
        {"logits": ["N", weights.shape[1]], "grey": [3, CELLS, CELLS]},
        {"weights": weights, "plain": np.zeros((3, CELLS, CELLS), np.float32)},
    ).SerializeToString()


def _graph(
    nodes: list[object],
    inputs: dict[str, list[object]],
    outputs: dict[str, list[object]],
    weights: dict[str, np.ndarray],
) -> ModelProto:
    def values(shapes: dict[str, list[object]]) -> list[object]:
        return [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in shapes.items()
        ]

    tensors = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "looking", values(inputs), values(outputs), tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8  # what every ONNX Runtime of the last years reads
    return model
