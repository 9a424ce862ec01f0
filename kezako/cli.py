"""The command line: one subcommand a stage; heavy imports wait until their stage runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kezako import __version__
from kezako.recipe import RecipeError
from kezako.workspace import Workspace

if TYPE_CHECKING:
    from kezako.manifest import Manifest

    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]


class Refusal(Exception):
    """Something the user can mend; the message says what is wrong and what to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what was asked, 2 after a sentence that says why not."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.run(arguments, Workspace.find()) or 0)
    except ModuleNotFoundError as error:
        print(f"kezako: {_needs_more('This', error)}", file=sys.stderr)
        return 2
    except (Refusal, RecipeError, ValueError, FileNotFoundError, ImportError) as error:
        print(f"kezako: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nkezako: stopped; run the same command again to continue.", file=sys.stderr)
        return 130


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kezako", description=__doc__)
    parser.add_argument("--version", action="version", version=f"kezako {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_new(commands)
    _add_sample(commands)
    _add_gather(commands)
    _add_pictures(commands)
    _add_credits(commands)
    _add_train(commands)
    _add_clean(commands)
    _add_import(commands)
    _add_serve(commands)
    _add_predict(commands)
    _add_scale(commands)
    _add_deploy(commands)
    _add_doctor(commands)
    return parser


def _add_new(commands: _Commands) -> None:
    parser = commands.add_parser("new", help="write a recipe: what to tell apart")
    parser.add_argument("name", metavar="NAME", help="the classifier's name: a folder in data/")
    parser.add_argument("--classes", required=True, metavar="A,B,C", help="two or more, by commas")
    parser.set_defaults(run=_new)


def _new(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.new import new_recipe

    path = new_recipe(workspace, arguments.name, arguments.classes.split(","))
    print(f"Wrote {path}. Read it, change what you like, then: kezako gather {arguments.name}")


def _add_sample(commands: _Commands) -> None:
    parser = commands.add_parser("sample", help="draw a data set that needs no network")
    parser.add_argument("name", choices=["smileys"], help="smileys: happy, sad, surprised faces")
    parser.add_argument("--pictures", type=int, default=100, metavar="N", help="of each class")
    parser.add_argument("--seed", type=int, default=42, metavar="N", help="another: other faces")
    parser.set_defaults(run=_sample)


def _sample(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.gather import adopt
    from kezako.sample import draw_sample

    recipe = draw_sample(workspace, arguments.pictures, arguments.seed)
    print(adopt(recipe, workspace))
    print(f"Next: kezako train {recipe.name}")


def _add_gather(commands: _Commands) -> None:
    parser = commands.add_parser("gather", help="collect pictures for each class of a recipe")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--from", dest="path", metavar="FOLDER_OR_ZIP", help="pictures you saved, a folder a class"
    )
    parser.add_argument("--class", dest="folder", help="with --from: the class of all its pictures")
    parser.add_argument("--source", action="append", metavar="NAME", help="ask this source only")
    parser.set_defaults(run=_gather)


def _gather(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.gather import gather, gather_from

    if arguments.folder and not arguments.path:
        raise Refusal("--class says what the pictures of --from are; give both, or neither.")
    recipe = workspace.recipe(arguments.name)
    if arguments.path:
        print(gather_from(recipe, workspace, arguments.path, arguments.folder))
    else:
        print(gather(recipe, workspace, arguments.source))


def _add_pictures(commands: _Commands) -> None:
    parser = commands.add_parser("pictures", help="list every picture, and why others are not kept")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--csv", action="store_true", help="every column, for a spreadsheet")
    parser.add_argument("--status", help="only kept, duplicate, broken, refused, pending, ...")
    parser.set_defaults(run=_pictures)


def _pictures(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.gather.listing import as_csv, as_table

    with _manifest(arguments.name, workspace) as manifest:
        where = {"status": arguments.status} if arguments.status else {}
        rows = manifest.rows(**where)
    if arguments.csv:
        sys.stdout.write(as_csv(rows))
    else:
        print("\n".join(as_table(rows)))


def _add_credits(commands: _Commands) -> None:
    parser = commands.add_parser("credits", help="write the attributions that licences ask for")
    parser.add_argument("name", metavar="NAME")
    parser.set_defaults(run=_credits)


def _credits(arguments: argparse.Namespace, workspace: Workspace) -> None:
    print(_write_credits(arguments.name, workspace))


def _write_credits(name: str, workspace: Workspace) -> Path:
    """Write them beside the pictures and, for the page to show, into the bundle."""
    from kezako.bundle import CARD, CREDITS, amend
    from kezako.gather.listing import credits

    title = workspace.recipe(name).title
    target = workspace.folder(name) / CREDITS
    with _manifest(name, workspace) as manifest:
        text = credits(manifest, title)
    staged = target.with_suffix(".part")
    staged.write_text(text, encoding="utf-8")
    staged.replace(target)
    if (workspace.bundle(name) / CARD).is_file():
        amend(workspace.bundle(name), {CREDITS: text.encode()})
    return target


def _add_train(commands: _Commands) -> None:
    parser = commands.add_parser("train", help="fine-tune a model and write its bundle")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--without-photos", action="store_true", help="leave the pictures out of report.html"
    )
    parser.set_defaults(run=_train)


def _train(arguments: argparse.Namespace, workspace: Workspace) -> None:
    recipe = workspace.recipe(arguments.name)
    try:
        from kezako.train.run import train
    except ImportError as error:
        raise Refusal(_needs_more("Training", error)) from error
    card = train(recipe, workspace, photos=not arguments.without_photos)
    if card is None:
        return  # of several processes that train together, the first one tells
    with _manifest(recipe.name, workspace) as manifest:
        licensed = any(row.licence for row in manifest.kept())
    if licensed:
        _write_credits(recipe.name, workspace)
    share = card.figures["validation"]["error"]
    print(f"{card.title} Error on validation pictures: {100 * share:.1f} %.")
    print(f"Bundle: {workspace.bundle(recipe.name)}")
    print(f"Next: kezako serve {recipe.name}")


def _add_clean(commands: _Commands) -> None:
    parser = commands.add_parser("clean", help="show the pictures that are probably wrong")
    parser.add_argument("name", metavar="NAME")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--top", type=_count, default=20, metavar="N", help="show so many (20)")
    what.add_argument(
        "--auto", action="store_true", help="move what a strict rule is sure of, and list it"
    )
    what.add_argument("--undo", action="store_true", help="put back what was moved last")
    parser.add_argument("--open", action="store_true", help="then open the cleaner in a browser")
    parser.add_argument("--port", type=_port, help="with --open: the port (8868, or one near it)")
    parser.add_argument("--no-browser", action="store_true", help="with --open: only say where")
    parser.set_defaults(run=_clean)


def _clean(arguments: argparse.Namespace, workspace: Workspace) -> None:
    recipe = workspace.recipe(arguments.name)
    if arguments.open and (arguments.undo or arguments.auto):
        raise Refusal("--open lets you decide by yourself; give it without --auto and --undo.")
    if arguments.undo:
        from kezako.clean.marks import undo

        back = undo(recipe, workspace)
        print(f"{back} pictures are back where they were." if back else "There is nothing to undo.")
        return
    try:
        from kezako.clean.auto import clean
        from kezako.clean.suspects import as_lines, find_suspects
    except ImportError as error:
        raise Refusal(_needs_more("Looking for suspects", error)) from error
    if arguments.auto:
        cleaned = clean(recipe, workspace)
        print(cleaned)
        if cleaned.verdicts:
            print(f"To take that back: kezako clean {recipe.name} --undo")
            print(f"Next: kezako train {recipe.name}")
        return
    print("\n".join(as_lines(find_suspects(recipe, workspace)[: arguments.top])))
    if arguments.open:
        _open_cleaner(arguments, workspace)
        return
    print(f"To see them, and keep, delete or move: kezako clean {recipe.name} --open")
    print(f"To move what is certain: kezako clean {recipe.name} --auto")


def _open_cleaner(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.clean.workshop import open_cleaner

    open_cleaner(
        workspace.notebook("clean").resolve(),
        workspace.root,
        arguments.name,
        arguments.port,
        not arguments.no_browser,
    )


def _add_import(commands: _Commands) -> None:
    parser = commands.add_parser("import", help="make a bundle of somebody's export.pkl, safely")
    parser.add_argument("file", metavar="FILE", type=Path, help="what learn.export() wrote")
    parser.add_argument("--name", help="the classifier's name: a folder in models/")
    parser.add_argument(
        "--pictures", metavar="FOLDER", type=Path, help="measure it on these, a folder a class"
    )
    parser.add_argument("--labels", metavar="A,B,C", default="", help="other names for its classes")
    parser.add_argument("--size", type=_pixels, metavar="PIXELS", help="if the file does not say")
    parser.add_argument("--resize", metavar="HOW", help="squish, crop, pad, random-crop; likewise")
    parser.add_argument(
        "--skip", action="append", default=[], metavar="STEP", help="leave out a step, by its name"
    )
    parser.add_argument("--replace", action="store_true", help="replace a classifier of that name")
    parser.set_defaults(run=_import)


def _import(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.bring.run import Request, bring

    request = Request(
        arguments.file, arguments.name, arguments.pictures,
        tuple(label.strip() for label in arguments.labels.split(",") if label.strip()),
        arguments.size, arguments.resize, tuple(arguments.skip), arguments.replace,
    )  # fmt: skip
    try:
        card = bring(request, workspace)
    except ImportError as error:
        raise Refusal(_needs_more("Importing", error)) from error
    print(f"It tells apart: {', '.join(card.labels)}.")
    if card.figures:
        share = card.figures["validation"]["error"]
        print(f"Error on your pictures: {100 * share:.1f} %.")
    else:
        print("How good it is, the file does not say; --pictures FOLDER measures it.")
    print(f"Bundle: {workspace.bundle(card.name)}")
    print(f"Next: kezako serve {card.name}")


def _needs_more(what: str, error: ImportError, extra: str = "train") -> str:
    from kezako.doctor.packages import install

    return (
        f"{what} needs more than the page does ({str(error.name).split('.')[0]} is missing). "
        f"Install it with: {install(extra)}"
    )


def _manifest(name: str, workspace: Workspace) -> Manifest:
    from kezako.manifest import Manifest

    folder = workspace.folder(name)
    if not (folder / "manifest.db").is_file():
        raise Refusal(f"{name} has no pictures yet. Gather some with: kezako gather {name}")
    return Manifest(folder)


def _add_serve(commands: _Commands) -> None:
    parser = commands.add_parser("serve", help="serve the page of a classifier")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the classifier that answers first")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=_port, help="the port (default: 8866, or one near it)")
    parser.add_argument("--no-browser", action="store_true", help="open no browser")
    parser.add_argument(
        "--visitors", type=_count, metavar="N", help="at once (default: as many as memory holds)"
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
    from kezako.bundle import read_card
    from kezako.serve.app import serve
    from kezako.serve.limits import Limits

    if arguments.name and not arguments.engine:
        read_card(workspace.bundle(arguments.name))  # refuses with a sentence what is no bundle
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


def _add_doctor(commands: _Commands) -> None:
    parser = commands.add_parser("doctor", help="say what is here, what is missing, what to do")
    parser.add_argument("--offline", action="store_true", help="ask nothing on the network")
    parser.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace, workspace: Workspace) -> int:
    from kezako.doctor.run import examine

    return 0 if examine(workspace, arguments.offline) else 1


def _add_deploy(commands: _Commands) -> None:
    parser = commands.add_parser("deploy", help="write a folder that a host takes as it is")
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


def _add_predict(commands: _Commands) -> None:
    parser = commands.add_parser("predict", help="classify files, and folders of any size")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("paths", nargs="+", metavar="FILE_OR_FOLDER")
    parser.add_argument(
        "--csv", metavar="FILE", type=Path, help="write a table; an interrupted run is continued"
    )
    parser.add_argument("--workers", type=_count, metavar="N", help="processes (one a core)")
    parser.set_defaults(run=_predict)


def _predict(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.batch.run import predict

    found = predict(workspace, arguments.name, arguments.paths, arguments.csv, arguments.workers)
    if arguments.csv:
        print(f"{found}\nTable: {arguments.csv}")


def _add_scale(commands: _Commands) -> None:
    parser = commands.add_parser("scale", help="classify on more machines than one, with Ray")
    parts = parser.add_subparsers(required=True, metavar="PART")
    _add_scale_batch(parts)
    _add_scale_serve(parts)


def _add_scale_batch(commands: _Commands) -> None:
    parser = commands.add_parser("batch", help="a folder or a bucket of pictures, to Parquet")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("source", metavar="FOLDER_OR_URI", help="such as s3://bucket/pictures")
    parser.add_argument("out", metavar="OUT", help="a folder or an URI, for Parquet files")
    parser.add_argument("--address", help="of a Ray cluster, such as auto (default: this machine)")
    parser.add_argument("--workers", type=_count, metavar="N", help="at most (one a core)")
    parser.set_defaults(run=_scale_batch)


def _scale_batch(arguments: argparse.Namespace, workspace: Workspace) -> None:
    try:
        from kezako.scale.batch import classify
    except ImportError as error:
        raise Refusal(_needs_more("Scaling", error, "scale")) from error
    bundle = workspace.bundle(arguments.name)
    print(classify(bundle, arguments.source, arguments.out, arguments.address, arguments.workers))
    print(f"Answers: {arguments.out}")


def _add_scale_serve(commands: _Commands) -> None:
    parser = commands.add_parser(
        "serve", help="the API on Ray Serve, with as many replicas as help"
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=_port, default=8000, help="the port (8000)")
    parser.add_argument("--replicas", type=_count, metavar="N", help="at most (one a core)")
    parser.add_argument("--at-least", type=_count, default=1, metavar="N", help="replicas (1)")
    parser.add_argument("--address", help="of a Ray cluster, such as auto (default: this machine)")
    parser.set_defaults(run=_scale_serve)


def _scale_serve(arguments: argparse.Namespace, workspace: Workspace) -> None:
    try:
        from kezako.scale.serve import Replicas, serve
    except ImportError as error:
        raise Refusal(_needs_more("Scaling", error, "scale")) from error
    serve(
        workspace.bundle(arguments.name),
        arguments.host,
        arguments.port,
        Replicas(arguments.at_least, arguments.replicas),
        arguments.address,
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 1 to 65535")
    return int(text)


def _pixels(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of pixels; give one such as 224")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no such number; give 1 or more")
    return int(text)
