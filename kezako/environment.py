"""Settings from outside: what the environment's `KEZAKO_` variables say, within their bounds.

Each is read where it is used, with `read`. A command starts with `check`, which refuses an unknown
variable and a value out of bounds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from kezako.errors import KezakoError
from kezako.settings import PREFIX, SECRET, SETTINGS

# What Kubernetes sets in every container for a Service called "kezako", or "kezako-" and more.
_SERVICE = re.compile(
    r"KEZAKO(_\w+)?_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_[A-Z]+(_(PROTO|PORT|ADDR))?)=.*"
    r"|KEZAKO(_\w+)?_PORT=\w+://.*"
)


def read(
    name: str,  # without PREFIX
    environment: Mapping[str, str] | None = None,  # this process's by default
) -> Any:
    """The value of a setting; None where it is not set, or empty. Raises `KezakoError`."""
    text = (os.environ if environment is None else environment).get(PREFIX + name, "").strip()
    return parse(name, text) if text else None


def parse(name: str, text: str) -> Any:
    """What `text` means for setting `name`. Raises `KezakoError` with a sentence."""
    kind = SETTINGS[name].kind
    try:
        return kind.read(text)
    except ValueError:
        said = "cannot be used" if name in SECRET else f"is {text!r}"
        raise KezakoError(f"{PREFIX}{name} {said}; {kind.wanted}.") from None


def check(environment: Mapping[str, str] | None = None) -> None:
    """Raises `KezakoError` for the first variable that is unknown, or cannot be read."""
    given = os.environ if environment is None else environment
    for variable in given:  # by name: the values of others are nobody's business here
        if not variable.startswith(PREFIX) or _SERVICE.fullmatch(f"{variable}={given[variable]}"):
            continue
        name = variable.removeprefix(PREFIX)
        if name not in SETTINGS:
            near = get_close_matches(name.upper(), SETTINGS, n=1)
            hint = f"Is {PREFIX}{near[0]} meant?" if near else "Take it away."
            raise KezakoError(f"{variable} is no setting of Kezako. {hint}")
        read(name, given)
