"""Whether this server can answer visitors, for the hosts and balancers that ask."""

from __future__ import annotations

from collections.abc import Callable

from traitlets.log import get_logger


class Health:
    """Named checks; the server is ready when all of them say so."""

    def __init__(self) -> None:
        self._checks: dict[str, Callable[[], bool]] = {}

    def add(self, name: str, check: Callable[[], bool]) -> None:
        """Ask `check` at each look; it is to be quick, and a raising one counts as not ready."""
        self._checks[name] = check

    def missing(self) -> list[str]:
        """The names of the checks that say no; empty when ready."""
        return [name for name, check in self._checks.items() if not _passes(name, check)]


def _passes(name: str, check: Callable[[], bool]) -> bool:
    try:
        return bool(check())
    except Exception as error:
        get_logger().warning("The health check %s failed: %s", name, error)
        return False
