"""The page's widgets, one module each; `notebooks/app.ipynb` connects them."""

from kezako.model.wording import headline
from kezako.page.bars import Bars
from kezako.page.choice import Choice
from kezako.page.correction import Correction
from kezako.page.credits import Credits
from kezako.page.photo import ACCEPT, Preview, content, hint
from kezako.page.stage import Stage
from kezako.page.thumbnails import Examples, Parts
from kezako.page.why import Why

__all__ = [
    "ACCEPT",
    "Bars",
    "Choice",
    "Correction",
    "Credits",
    "Examples",
    "Parts",
    "Preview",
    "Stage",
    "Why",
    "content",
    "headline",
    "hint",
]
