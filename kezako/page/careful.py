"""Show visitors a sentence when something fails, never a traceback."""

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
    button: Button,  # disabled inside the block, and after `NotAPicture` it stays disabled
    label: Label,  # shows `meanwhile`, or what went wrong
    meanwhile: str,
) -> Iterator[None]:
    """Wrap code that may fail: the visitor sees a sentence, never a traceback."""
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
        # Log to the kernel's own logger: what `logging` prints would be shown on the page.
        get_logger().exception("The page could not answer.")
        label.value = SORRY
        button.disabled = False
    else:
        button.disabled = False
