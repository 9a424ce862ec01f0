"""Pictures are kept in memory while there is room, and nothing of that outlives a fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from fastai.vision.all import Learner, PILImage

from kezako.recipe import Recipe
from kezako.train.cache import PicturesInMemory
from kezako.train.dataset import Pictures
from kezako.workspace import Workspace


def test_pictures_are_kept_while_there_is_room(
    some_faces: Callable[..., tuple[Recipe, Workspace]],
    an_untrained_learner: Callable[[Recipe, Pictures], Learner],
) -> None:
    recipe, workspace = some_faces()
    dls = an_untrained_learner(recipe, Pictures(recipe, workspace)).dls
    usual = list(dls.train_ds.tls[0].tfms.fs)
    paths = list(dls.train_ds.items)
    room = sum(3 * one.width * one.height for one in map(PILImage.create, paths[:4]))
    memory = PicturesInMemory(room)
    with memory.used(dls):
        with memory.used(dls):  # as a fit within
            pass
        first = [picture for picture, _ in dls.train_ds]
        for path in paths[:4]:
            path.unlink()
        again = [dls.train_ds[number][0] for number in range(4)]
    assert memory.held == room
    for number, path in enumerate(paths[4:], 4):
        assert np.array_equal(np.array(first[number]), np.array(PILImage.create(path)))
    assert all(a is b for a, b in zip(first, again, strict=False))
    assert list(dls.train_ds.tls[0].tfms.fs) == usual
