"""A bundle packed for another machine: the files that inference needs."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kezako.model.bundle import CARD, HEAD, KNOWN, MODEL, Card, read_bundle, read_card


@dataclass(frozen=True)
class Packed:
    """The files of one bundle, checked against the checksums of its card."""

    name: str
    files: dict[str, bytes]

    @classmethod
    def of(cls, bundle: Path) -> Packed:
        """Read and check `bundle`. Raises `BundleError`."""
        needed = (MODEL, HEAD, KNOWN)
        card, files = read_bundle(bundle, lambda card: [n for n in needed if n in card.files])
        return cls(bundle.name, {CARD: card.to_json().encode("utf-8", "surrogatepass"), **files})

    def unpack(self) -> tempfile.TemporaryDirectory[str]:
        """A temporary folder of bundles with this one in it."""
        models = tempfile.TemporaryDirectory(prefix="kezako-")
        bundle = Path(models.name, self.name)
        bundle.mkdir()
        for name, content in self.files.items():
            (bundle / name).write_bytes(content)
        return models

    @cached_property
    def card(self) -> Card:
        with self.unpack() as models:
            return read_card(Path(models, self.name))
