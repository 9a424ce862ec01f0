"""Settings from the environment: `KEZAKO_*` variables, checked against their bounds.

Code reads a setting with `read` where it is used. A command starts with `check`, which rejects
unknown variables and values that are out of bounds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from kezako.errors import KezakoError
from kezako.names import most_similar
from kezako.settings import PREFIX, SECRET, SETTINGS

# Variables that Kubernetes sets in every container for a Service called "kezako" or "kezako-...".
_SERVICE = re.compile(
    r"KEZAKO(_\w+)?_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_[A-Z]+(_(PROTO|PORT|ADDR))?)=.*"
    r"|KEZAKO(_\w+)?_PORT=\w+://.*"
)


def read(
    name: str,  # without PREFIX
    environment: Mapping[str, str] | None = None,  # default: this process's
) -> Any:
    """The value of a setting; None if it is not set or empty. Raises `KezakoError`."""
    text = (os.environ if environment is None else environment).get(PREFIX + name, "").strip()
    return parse(name, text) if text else None


def parse(name: str, text: str) -> Any:
    """Parse `text` for setting `name`. Raises `KezakoError` with a sentence."""
    kind = SETTINGS[name].kind
    try:
        return kind.read(text)
    except ValueError:
        said = "cannot be used" if name in SECRET else f"is {text!r}"
        raise KezakoError(f"{PREFIX}{name} {said}; {kind.wanted}.") from None


def check(environment: Mapping[str, str] | None = None) -> None:
    """Raise `KezakoError` for the first variable that is unknown or cannot be read."""
    given = os.environ if environment is None else environment
    for variable in given:  # only names first: do not read values of unrelated variables
        if not variable.startswith(PREFIX) or _SERVICE.fullmatch(f"{variable}={given[variable]}"):
            continue
        name = variable.removeprefix(PREFIX)
        if name not in SETTINGS:
            near = most_similar(name.upper(), SETTINGS)
            hint = f"Did you mean {PREFIX}{near}?" if near else "Remove it."
            raise KezakoError(f"{variable} is no setting of Kezako. {hint}")
        read(name, given)
