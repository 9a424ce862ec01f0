"""Compare installed packages with what pyproject.toml requires."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from kezako import __version__
from kezako.doctor.finding import Finding, Mark

if TYPE_CHECKING:
    from packaging.requirements import Requirement

OLDEST = (3, 11)
_PACKAGE = Path(__file__).parents[1]


def python() -> Iterator[Finding]:
    """The interpreter and Kezako itself."""
    found = f"{platform.python_version()}, {sys.executable}"
    if sys.version_info >= OLDEST:
        yield Finding("ok", "Python", found)
    else:
        yield Finding("!!", "Python", found, "Kezako needs Python 3.11 or newer.")
    yield Finding("ok", "Kezako", f"{__version__}, {_PACKAGE}")


def needed(extra: str = "") -> Iterator[Finding]:
    """A line for each required package of Kezako, or of its `extra`.

    Without an extra, a missing package means that the page cannot be served.
    """
    try:
        requirements = _requirements(extra)
    except (ImportError, metadata.PackageNotFoundError):
        yield Finding(
            "--", "packages",
            "cannot be compared with what Kezako asks for: it runs without being installed",
            install(extra),
        )  # fmt: skip
        return
    absent: Mark = "--" if extra else "!!"
    for requirement in requirements:
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield Finding(absent, requirement.name, "missing", install(extra))
            continue
        if requirement.specifier.contains(version, prereleases=True):
            yield Finding("ok", requirement.name, version)
        else:
            asked = f"{version}, where {requirement.specifier} is asked for"
            yield Finding("--", requirement.name, asked, install(extra))


def install(extra: str = "") -> str:
    """The command that installs Kezako with an extra, from a clone or a wheel like this one."""
    wanted = f"[{extra}]" if extra else ""
    if (_PACKAGE.parent / "pyproject.toml").is_file():
        return f'pip install -e ".{wanted}"' if extra else "pip install -e ."
    return f'pip install "kezako-{__version__}-py3-none-any.whl{wanted}"'


def _requirements(extra: str) -> list[Requirement]:
    from packaging.requirements import Requirement

    every = map(Requirement, metadata.requires("kezako") or [])
    return [one for one in every if _is_meant(one, extra)]


def _is_meant(requirement: Requirement, extra: str) -> bool:
    """Whether it is required on this system by `extra`, but not without it."""
    marker = requirement.marker
    always = marker is None or marker.evaluate({"extra": ""})
    if not extra:
        return always
    return not always and marker is not None and marker.evaluate({"extra": extra})
