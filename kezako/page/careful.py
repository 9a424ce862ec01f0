"""A visitor sees a sentence where something fails, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ipywidgets import Button, Label
from traitlets.log import get_logger

from kezako.model.classifier import TookTooLong
from kezako.model.remote import EngineError
from kezako.model.wording import SORRY, TOO_LONG
from kezako.pictures import NotAPicture


@contextmanager
def careful(
    button: Button,  # disabled meanwhile, and left so after `NotAPicture`
    label: Label,  # says what happens, or what went wrong
    meanwhile: str,
) -> Iterator[None]:
    """Around what may fail: the visitor gets a sentence, never a traceback."""
    button.disabled, label.value = True, meanwhile
    try:
        yield
    except NotAPicture as error:
        label.value = str(error)
    except TookTooLong:
        label.value = TOO_LONG
        button.disabled = False
    except EngineError as error:
        label.value = str(error)
        button.disabled = False
    except Exception:
        # The kernel's own log: what `logging` prints would be published on the page.
        get_logger().exception("The page could not answer.")
        label.value = SORRY
        button.disabled = False
    else:
        button.disabled = False
