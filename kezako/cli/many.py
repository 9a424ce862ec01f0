"""Commands that classify many pictures, and on several machines."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kezako.cli.common import CLASSIFIER, Commands, add_command, count, port
from kezako.workspace import Workspace


def add(commands: Commands) -> None:
    """Add them to the parser."""
    _add_predict(commands)
    _add_scale(commands)


def _add_predict(commands: Commands) -> None:
    parser = add_command(
        commands, "predict", "classify files, and folders of any size",
        "Prints a line for each picture, or writes a table with --csv, which continues where it\n"
        "stopped.",
        "kezako predict wolves photos --csv answers.csv", "scale.md",
    )  # fmt: skip
    parser.add_argument("name", metavar="NAME", help=CLASSIFIER)
    parser.add_argument("paths", nargs="+", metavar="FILE_OR_FOLDER")
    parser.add_argument(
        "--csv", metavar="FILE", type=Path, help="write a table; an interrupted run is continued"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="with --csv: a file that is no table of answers"
    )
    parser.add_argument(
        "--workers", type=count, metavar="N", help="worker processes (one per core)"
    )
    parser.set_defaults(run=_predict)


def _predict(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.batch.csv_file import is_stream
    from kezako.batch.run import predict

    arguments.goes_on = arguments.csv is not None
    found = predict(
        workspace, arguments.name, arguments.paths, arguments.csv, arguments.workers,
        overwrite=arguments.overwrite,
    )  # fmt: skip
    if arguments.csv:
        # If --csv is a pipe, it may be this program's own stdout.
        where = sys.stderr if is_stream(arguments.csv) else sys.stdout
        print(f"{found}\nTable: {arguments.csv}", file=where)


def _add_scale(commands: Commands) -> None:
    parser = add_command(
        commands,
        "scale",
        "classify on more machines than one, with Ray",
        "Folders or buckets of pictures to Parquet (batch), or the API with replicas (serve).",
        "kezako scale batch wolves s3://bucket/photos s3://bucket/answers\n"
        "kezako scale serve wolves",
        "scale.md",
    )
    parts = parser.add_subparsers(required=True, metavar="PART")
    _add_scale_batch(parts)
    _add_scale_serve(parts)


def _add_scale_batch(commands: Commands) -> None:
    parser = commands.add_parser("batch", help="a folder or a bucket of pictures, to Parquet")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("source", metavar="FOLDER_OR_URI", help="such as s3://bucket/pictures")
    parser.add_argument("out", metavar="OUT", help="a folder or an URI, for Parquet files")
    parser.add_argument("--address", help="of a Ray cluster, such as auto (default: this machine)")
    parser.add_argument("--workers", type=count, metavar="N", help="at most (one per core)")
    parser.set_defaults(run=_scale_batch, goes_on=True)


def _scale_batch(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.scale.batch import classify

    bundle = workspace.bundle(arguments.name)
    print(classify(bundle, arguments.source, arguments.out, arguments.address, arguments.workers))
    print(f"Answers: {arguments.out}")


def _add_scale_serve(commands: Commands) -> None:
    parser = commands.add_parser(
        "serve", help="the API on Ray Serve, with as many replicas as help"
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=port, default=8000, help="the port (8000)")
    parser.add_argument("--replicas", type=count, metavar="N", help="at most (one per core)")
    parser.add_argument(
        "--at-least", type=count, default=1, metavar="N", help="replicas kept running (1)"
    )
    parser.add_argument("--address", help="of a Ray cluster, such as auto (default: this machine)")
    parser.set_defaults(run=_scale_serve)


def _scale_serve(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.scale.serve import Replicas, serve

    serve(
        workspace.bundle(arguments.name),
        arguments.host,
        arguments.port,
        Replicas(arguments.at_least, arguments.replicas),
        arguments.address,
    )
