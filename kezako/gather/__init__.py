"""Names in, folders of checked pictures out, with a manifest that says where each came from."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kezako.gather.run import adopt, gather, gather_from
    from kezako.gather.summary import Summary

__all__ = ["Summary", "adopt", "gather", "gather_from"]


def __getattr__(name: str) -> Any:
    # Late, so that a checking process, which is in this package, starts with what it needs only.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kezako.gather import run

    return getattr(run, name)
