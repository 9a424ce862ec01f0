"""From pictures to a bundle: the functions that the training notebook adds to fastai's."""

from kezako.train import torchvision_ops

torchvision_ops.ensure()  # before anything imports torchvision
