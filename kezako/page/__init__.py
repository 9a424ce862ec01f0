"""The page's widgets, one module each; `notebooks/app.ipynb` connects them."""

from kezako.model.wording import sentence
from kezako.page.bars import Bars
from kezako.page.careful import careful
from kezako.page.choice import Choice
from kezako.page.correction import Correction
from kezako.page.credits import Credits
from kezako.page.photo import ACCEPT, content, show
from kezako.page.why import Why

__all__ = [
    "ACCEPT",
    "Bars",
    "Choice",
    "Correction",
    "Credits",
    "Why",
    "careful",
    "content",
    "sentence",
    "show",
]
