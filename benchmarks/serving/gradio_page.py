"""The same model and preprocessing with Gradio; runs in its own environment.

GRADIO_SERVER_PORT=8867 build/gradio/bin/python -m benchmarks.serving.gradio_page models/bears
"""

from __future__ import annotations

import sys

import gradio
import onnxruntime

from kezako.model.classifier import Classifier


def main(bundle: str) -> None:
    onnxruntime.disable_telemetry_events()
    classifier = Classifier.open(bundle)

    def classify(path: str) -> dict[str, float]:
        return dict(classifier.predict(path).probabilities)

    page = gradio.Interface(
        classify,
        gradio.Image(type="filepath", sources=["upload"]),
        gradio.Label(num_top_classes=len(classifier.card.labels)),
        title=classifier.card.title,
        description=classifier.card.prompt,
        flagging_mode="never",
        analytics_enabled=False,
        api_name="classify",
    )
    page.launch(server_name="127.0.0.1", share=False, quiet=True)


if __name__ == "__main__":
    main(sys.argv[1])
