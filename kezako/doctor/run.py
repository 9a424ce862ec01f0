"""Run all checks in parallel, and print them section by section."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from kezako.doctor import machine, packages, serving, sources, training
from kezako.doctor.finding import Finding, as_lines
from kezako.workspace import Workspace

Check = Callable[[], Iterable[Finding]]


def examine(
    workspace: Workspace,
    offline: bool,  # use no network
    say: Callable[[str], None] = print,  # called with each section as soon as it is ready
) -> bool:
    """Print the report; returns whether the page can be served."""
    good = True
    checks = _checks(workspace, offline)
    with ThreadPoolExecutor(len(checks)) as pool:
        begun: list[tuple[str, Future[list[Finding]]]] = [
            (title, pool.submit(_gathered, parts)) for title, parts in checks.items()
        ]
        for title, section in begun:
            findings = section.result()
            good = good and all(one.mark != "!!" for one in findings)
            say("\n".join([*as_lines(title, findings), ""]))
    say("The page can be served." if good else "Fix the lines marked !! before you serve the page.")
    return good


def _checks(workspace: Workspace, offline: bool) -> dict[str, list[Check]]:
    return {
        "This machine": [
            packages.python,
            lambda: machine.machine(workspace.root),
            machine.ports,
            machine.browser,
        ],
        "The page": [packages.needed, lambda: serving.serving(workspace)],
        "Training (the extra train)": [
            lambda: packages.needed("train"),
            lambda: training.training(workspace, offline),
        ],
        "More machines (the extra scale)": [lambda: packages.needed("scale")],
        "Picture sources": [lambda: sources.sources(offline)],
    }


def _gathered(parts: Iterable[Check]) -> list[Finding]:
    return [finding for check in parts for finding in _guarded(check)]


def _guarded(check: Check) -> Iterator[Finding]:
    """The findings of a check, also if it crashes on an unusual machine."""
    try:
        yield from check()
    except Exception as error:
        yield Finding("--", "a check", f"broke down: {type(error).__name__}: {error}")
