"""Commands that put a classifier's page on the web."""

from __future__ import annotations

import argparse
from pathlib import Path

from kezako.cli.common import Commands, add_command, count, port
from kezako.workspace import Workspace


def add(commands: Commands) -> None:
    """Add them to the parser."""
    _add_serve(commands)
    _add_deploy(commands)
    _add_doctor(commands)


def _add_serve(commands: Commands) -> None:
    parser = add_command(
        commands,
        "serve",
        "serve the page of a classifier",
        "Serves the page and the API on this machine and opens a browser.",
        "kezako serve wolves\nkezako serve wolves --host 0.0.0.0 --port 8866 --no-browser",
        "serve.md, docs/settings.md",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="the classifier that answers first")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=port, help="the port (default: 8866, or one near it)")
    parser.add_argument("--no-browser", action="store_true", help="open no browser")
    parser.add_argument(
        "--visitors", type=count, metavar="N", help="at once (default: as many as memory holds)"
    )
    parser.add_argument(
        "--behind-proxy",
        action="store_true",
        default=None,
        help="take visitors' addresses from X-Forwarded-For; only where a proxy writes it",
    )
    parser.add_argument(
        "--frame-ancestors",
        metavar="SITES",
        help="sites that may show the page in a frame (default: 'self')",
    )
    parser.add_argument(
        "--engine", metavar="URL", help="ask what `kezako scale serve` started, not the model here"
    )
    parser.set_defaults(run=_serve)


def _serve(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.model.bundle import read_card
    from kezako.serve.app import serve
    from kezako.serve.limits import Limits

    if arguments.name and not arguments.engine:
        # Raises an error with a sentence if it is not a bundle.
        read_card(workspace.bundle(arguments.name))
    limits = Limits.here(
        visitors=arguments.visitors,
        behind_proxy=arguments.behind_proxy,
        frame_ancestors=arguments.frame_ancestors,
    )
    serve(
        workspace.notebook("app").resolve(),
        workspace,
        arguments.name,
        arguments.host,
        arguments.port,
        not arguments.no_browser,
        limits,
        arguments.engine,
    )


def _add_deploy(commands: Commands) -> None:
    parser = add_command(
        commands,
        "deploy",
        "write a folder that a host takes as it is",
        "Writes what a host needs for one classifier, and says how large it is.",
        "kezako deploy heroku wolves build/wolves-on-heroku --git",
        "heroku.md, docs/binder.md, docs/spaces.md",
    )
    parser.add_argument("host", choices=["heroku", "binder", "spaces"], help="who serves the page")
    parser.add_argument("name", metavar="NAME", help="the classifier")
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="to write: new, or empty")
    parser.add_argument("--git", action="store_true", help="make it a repository with one commit")
    parser.set_defaults(run=_deploy)


def _deploy(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.deploy.hosts import HOSTS
    from kezako.deploy.run import deploy
    from kezako.deploy.sizes import as_lines

    host = HOSTS[arguments.host]
    done = deploy(host, arguments.name, arguments.folder, workspace, arguments.git)
    print(f"Wrote {done.files} files for {host.title}:")
    print("\n".join(as_lines(done.rows)))
    if done.warning:
        print(f"Take care: {done.warning}")
    print(f"Next: {done.folder / 'README.md'} says how to push it.")


def _add_doctor(commands: Commands) -> None:
    parser = add_command(
        commands, "doctor", "say what is here, what is missing, what to do",
        "Checks Python, packages, weights, picture sources, browser and ports.", "kezako doctor",
    )  # fmt: skip
    parser.add_argument("--offline", action="store_true", help="ask nothing on the network")
    parser.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace, workspace: Workspace) -> int:
    from kezako.doctor.run import examine

    return 0 if examine(workspace, arguments.offline) else 1
