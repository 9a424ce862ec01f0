"""The command line: one subcommand a stage; heavy imports wait until their stage runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from kezako import __version__, environment
from kezako.cli import many, models, pages, pictures
from kezako.cli.common import needs_more
from kezako.errors import KezakoError
from kezako.workspace import Workspace


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what was asked, 2 after a sentence that says why not."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    try:
        environment.check()
        return int(arguments.run(arguments, Workspace.find()) or 0)
    except ModuleNotFoundError as error:
        print(f"kezako: {needs_more('This', error)}", file=sys.stderr)
        return 2
    except KezakoError as error:
        print(f"kezako: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nkezako: stopped; run the same command again to continue.", file=sys.stderr)
        return 130


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kezako", description=__doc__)
    parser.add_argument("--version", action="version", version=f"kezako {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for group in (pictures, models, pages, many):
        group.add(commands)
    return parser
