"""The Voilà template `kezako`: the light front end that is built from `frontend/`.

If Kezako was installed from a wheel, `voila --template kezako` finds it. `offer` registers it for
a clone or an editable install, too.
"""

from __future__ import annotations

import os
from pathlib import Path

NAME = "kezako"
FOLDER = Path(__file__).parent  # has the layout of a Jupyter data folder: voila/templates/NAME


def offer() -> None:
    """Let Voilà find the template, in this process and its subprocesses."""
    paths = os.environ.get("JUPYTER_PATH", "").split(os.pathsep)
    if str(FOLDER) not in paths:
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, (str(FOLDER), *paths)))
