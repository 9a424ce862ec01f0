"""What tests need of their machine: the one place where a test may be skipped.

Where continuous integration runs, which sets `CI`, nobody reads which tests were skipped: there
what is missing fails, unless `TESTS_WITHOUT` names it (several, with commas between them).
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from typing import Any

import pytest

PHOTOS = "photographs"  # of tests that say nothing of drawings


def needs(
    what: str,  # as `TESTS_WITHOUT` names it
    there: object,
    why: str = "",  # it is not
) -> None:
    """Go on where it is there, else skip the test, or the file that this is called in.

    What `TESTS_WITHOUT` names is left out where it is there, too.
    """
    if there and what in _left_out(os.environ):
        pytest.skip(f"{what}: TESTS_WITHOUT leaves it out", allow_module_level=True)
    if there:
        return
    said = f"{what} is missing here" + (f" ({why})" if why else "")
    if must_be_there(what):
        advice = f"Add it to this machine, or declare that it has none: TESTS_WITHOUT={what!r}"
        pytest.fail(f"{said}. {advice}", pytrace=False)
    pytest.skip(said, allow_module_level=True)


def needs_package(name: str) -> Any:
    """The module of that name."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        needs(name, False, str(error))


def must_be_there(what: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a missing `what` is a failure here."""
    in_ci = environment.get("CI", "").lower() not in ("", "0", "false")
    return in_ci and what not in _left_out(environment)


def _left_out(environment: Mapping[str, str]) -> list[str]:
    return [name.strip() for name in environment.get("TESTS_WITHOUT", "").split(",")]


def only_where(
    holds: bool,
    why: str,  # it says nothing of other systems
) -> Callable[[Any], Any]:
    """Marks a test of what only some systems have, such as signals: no machine could mend that."""
    return pytest.mark.skipif(not holds, reason=f"of another system: {why}")
