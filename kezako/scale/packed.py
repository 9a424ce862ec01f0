"""A bundle on its way to another machine: as much of it as answers need."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kezako.model.bundle import CARD, HEAD, KNOWN, MODEL, Card, read_bundle, read_card


@dataclass(frozen=True)
class Packed:
    """The files of one bundle, equal to the checksums of its card."""

    name: str
    files: dict[str, bytes]

    @classmethod
    def of(cls, bundle: Path) -> Packed:
        """Raises `BundleError`."""
        needed = (MODEL, HEAD, KNOWN)
        card, files = read_bundle(bundle, lambda card: [n for n in needed if n in card.files])
        return cls(bundle.name, {CARD: card.to_json().encode("utf-8", "surrogatepass"), **files})

    def unpack(self) -> tempfile.TemporaryDirectory[str]:
        """A folder of bundles with this one in it, which is deleted with what is returned."""
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
