"""The command line: one subcommand per stage; heavy imports happen only when a stage runs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from kezako import __version__, environment
from kezako.cli import many, models, pages, pictures
from kezako.cli.common import Parser, missing
from kezako.errors import sentence
from kezako.names import as_shown
from kezako.workspace import Workspace

STEPS = """Build an image classifier and put it on the web. The steps, in order:

  kezako new wolves --classes wolf,dog,fox    write a recipe
  kezako gather wolves                        collect pictures, or: --from FOLDER
  kezako clean wolves                         list the pictures that look wrong
  kezako train wolves                         fine-tune a resnet18
  kezako serve wolves                         open the page
  kezako deploy heroku wolves build/wolves    write a folder for a host"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns 0 on success, 2 after an error message, 130 after Ctrl+C, 141 if stdout was closed; the
    status of `kezako doctor` is 1 if the page cannot be served.
    """
    arguments = build_parser().parse_args(argv)
    workspace = None
    try:
        environment.check()
        workspace = Workspace.find()
        status = int(arguments.run(arguments, workspace) or 0)
        sys.stdout.flush()  # flush here, where a full disk can be reported, not when Python exits
        return status
    except KeyboardInterrupt as stopped:
        print(f"\nkezako: {stopped or _stopped(arguments)}", file=sys.stderr)
        return 130
    except Exception as error:
        if isinstance(error, OSError) and not _can_print():
            return 141  # as for a program killed by SIGPIPE: `kezako pictures NAME | head`
        places = [workspace.root] if workspace else []
        told = missing(error, arguments.command) or sentence(error, places)
        if told is None:
            raise
        print("\n".join(map(as_shown, f"kezako: {told}".split("\n"))), file=sys.stderr)
        return 2


def _stopped(arguments: argparse.Namespace) -> str:
    if getattr(arguments, "goes_on", False):
        return "stopped; run the same command again to continue."
    return "stopped."


def _can_print() -> bool:
    """Whether stdout still works; if not, redirect it, or Python would complain at exit."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return not isinstance(error, BrokenPipeError)
    return True


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="kezako",
        description=STEPS,
        epilog="`kezako COMMAND --help` explains one of them. How-tos: docs/README.md",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"kezako {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for group in (pictures, models, pages, many):
        group.add(commands)
    return parser
