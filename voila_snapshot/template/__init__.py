"""Where Voilà finds the template `kezako`: the light front end that `frontend/` is built into.

`voila --template kezako` finds it by itself where Kezako was installed from a wheel; `offer` makes
it known from a clone and an editable install too.
"""

from __future__ import annotations

import os
from pathlib import Path

NAME = "kezako"
FOLDER = Path(__file__).parent  # laid out as Jupyter's data folders are: voila/templates/NAME


def offer() -> None:
    """Let Voilà find the template, in this process and those it starts."""
    paths = os.environ.get("JUPYTER_PATH", "").split(os.pathsep)
    if str(FOLDER) not in paths:
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, (str(FOLDER), *paths)))
