"""Pictures -> learner -> bundle: the words that the training notebook adds to fastai's own."""

from kezako.train import torchvision_ops

torchvision_ops.ensure()  # before anything imports torchvision
