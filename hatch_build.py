"""Put into the wheel what stands beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BESIDE = {
    "notebooks/*.ipynb": "kezako/notebooks",
    "models/starter/*": "kezako/starter",
    "requirements.txt": "kezako/deploy",  # what it writes for hosts
    "LICENSE": "kezako/deploy",
}


class Beside(BuildHookInterface):
    """An editable install finds the checkout's own files, so it gets no copies."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        for pattern, folder in BESIDE.items():
            for file in sorted(Path(self.root).glob(pattern)):
                if file.is_file():
                    build_data["force_include"][str(file)] = f"{folder}/{file.name}"
