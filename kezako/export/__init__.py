"""Export a trained learner as a bundle: fastai's pickle, ONNX, metrics, card, cover, examples."""
