"""Export a trained learner as a bundle: fastai's pickle, ONNX, metrics, card."""

import kezako.train  # noqa: F401  (makes torchvision import where its build does not fit torch's)
