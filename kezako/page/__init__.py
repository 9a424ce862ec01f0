"""The page's widgets, one module each; `notebooks/app.ipynb` connects them."""

from kezako.model.wording import headline
from kezako.page.bars import Bars
from kezako.page.camera import Camera
from kezako.page.choice import Choice
from kezako.page.correction import Correction
from kezako.page.credits import Credits
from kezako.page.photo import ACCEPT, Preview, content, hint
from kezako.page.share import Share
from kezako.page.stage import Stage
from kezako.page.thumbnails import Examples, Parts
from kezako.page.why import Why

__all__ = [
    "ACCEPT",
    "Bars",
    "Camera",
    "Choice",
    "Correction",
    "Credits",
    "Examples",
    "Parts",
    "Preview",
    "Share",
    "Stage",
    "Why",
    "content",
    "headline",
    "hint",
]
