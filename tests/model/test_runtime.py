"""What ONNX Runtime makes of an int8 model."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnxruntime as ort

from kezako.model.bundle import MODEL
from kezako.model.runtime import SLOWER

BEARS = Path(__file__).parents[2] / "models" / "bears"


def test_max_pooling_stays_in_fp32(tmp_path: Path) -> None:
    """Its 8-bit kernel is slow; the optimizer that chooses it is turned off by its name."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    ort.InferenceSession(
        (BEARS / MODEL).read_bytes(), options,
        providers=["CPUExecutionProvider"], disabled_optimizers=SLOWER,
    )  # fmt: skip
    graph = onnx.load(tmp_path / "optimized.onnx").graph
    maker = {name: node.op_type for node in graph.node for name in node.output}
    pools = [node for node in graph.node if node.op_type == "MaxPool"]
    assert pools
    assert not {maker[pool.input[0]] for pool in pools} & {"QuantizeLinear", "QLinearConv"}
