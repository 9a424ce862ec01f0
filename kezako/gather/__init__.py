"""Download and check pictures for a recipe's classes; a manifest says where each came from."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kezako.gather.run import adopt, gather, gather_from
    from kezako.gather.summary import Summary

__all__ = ["Summary", "adopt", "gather", "gather_from"]


def __getattr__(name: str) -> Any:
    # Lazy, so that the checking subprocesses, which import this package, start fast.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kezako.gather import run

    return getattr(run, name)
