"""Out of distribution: how far a picture is from the training pictures."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kezako.model.bundle import KNOWN, BundleError
from kezako.model.runtime import Floats


@dataclass(frozen=True)
class OutOfDistribution:
    """The training pictures in feature space.

    The distance of a picture is one minus the mean cosine similarity to its nearest training
    pictures, after Sun et al., "Out-of-Distribution Detection with Deep Nearest Neighbors"
    (ICML 2022).
    """

    bank: Floats  # (M, F), of unit length
    neighbours: int

    def distance(self, features: Floats) -> Floats:
        """Distances (N,) of features (N, F): 0 the same direction, 1 unrelated, 2 opposite."""
        similarity = unit(features) @ self.bank.T  # (N, M)
        nearest = -np.partition(-similarity, self.neighbours - 1, axis=1)[:, : self.neighbours]
        return np.asarray(1 - nearest.mean(axis=1), dtype=np.float32)

    @classmethod
    def read(cls, content: bytes) -> OutOfDistribution:
        """From the bytes of `known.npz`. Raises `BundleError`."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                bank = unit(arrays["bank"].astype(np.float32))
                return cls(bank, int(arrays["neighbours"]))
        except Exception as error:
            raise BundleError(f"{KNOWN} cannot be read: {error}.") from error

    def write(self, path: Path) -> None:
        bank = self.bank.astype(np.float16)  # rounds by 0.0005, too little to matter
        np.savez_compressed(path, bank=bank, neighbours=self.neighbours)


def unit(features: Floats) -> Floats:
    """Features (N, F) scaled to unit length."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(lengths, 1e-9), dtype=np.float32)
