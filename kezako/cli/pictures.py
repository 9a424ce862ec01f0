"""Commands that gather, list and clean pictures."""

from __future__ import annotations

import argparse
import sys
from typing import get_args

from kezako.cli.common import (
    CLASSIFIER,
    Commands,
    add_command,
    check_installed,
    count,
    manifest_of,
    port,
)
from kezako.dataset.row import Status
from kezako.errors import KezakoError
from kezako.workspace import Workspace

STATUSES: tuple[str, ...] = get_args(Status)


def add(commands: Commands) -> None:
    """Add them to the parser."""
    _add_new(commands)
    _add_sample(commands)
    _add_gather(commands)
    _add_pictures(commands)
    _add_credits(commands)
    _add_clean(commands)


def _add_new(commands: Commands) -> None:
    parser = add_command(
        commands, "new", "write a recipe: what to tell apart",
        "Writes data/NAME/recipe.toml, with comments that explain each line. Read it, change what\n"
        "you like, then gather pictures.",
        "kezako new wolves --classes wolf,dog,fox", "train.md",
    )  # fmt: skip
    parser.add_argument("name", metavar="NAME", help="the classifier's name: a folder in data/")
    parser.add_argument("--classes", required=True, metavar="A,B,C", help="two or more, by commas")
    parser.set_defaults(run=_new)


def _new(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.gather.new import new_recipe

    path = new_recipe(workspace, arguments.name, arguments.classes.split(","))
    print(f"Wrote {path}. Read it, change what you like, then: kezako gather {arguments.name}")


def _add_sample(commands: Commands) -> None:
    parser = add_command(
        commands, "sample", "draw a data set that needs no network",
        "Draws faces of three moods, so that you can try training and the page without pictures\n"
        "of your own.",
        "kezako sample smileys\nkezako train smileys", "train.md",
    )  # fmt: skip
    parser.add_argument("name", choices=["smileys"], help="smileys: happy, sad, surprised faces")
    parser.add_argument("--pictures", type=int, default=100, metavar="N", help="of each class")
    parser.add_argument("--seed", type=int, default=42, metavar="N", help="another: other faces")
    parser.set_defaults(run=_sample)


def _sample(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.gather import adopt
    from kezako.gather.sample import draw_sample

    recipe = draw_sample(workspace, arguments.pictures, arguments.seed)
    print(adopt(recipe, workspace))


def _add_gather(commands: Commands) -> None:
    parser = add_command(
        commands, "gather", "collect pictures for each class of a recipe",
        "Searches the web for each class, checks every picture, and notes where it came from; or\n"
        "takes a folder or zip of your own. Run it again to continue where it stopped.",
        "kezako gather wolves\nkezako gather wolves --from photos.zip",
        "folders.md, docs/sources.md",
    )  # fmt: skip
    parser.add_argument("name", metavar="NAME", help=CLASSIFIER)
    parser.add_argument(
        "--from",
        dest="path",
        metavar="FOLDER_OR_ZIP",
        help="pictures you saved, one folder per class",
    )
    parser.add_argument("--class", dest="folder", help="with --from: the class of all its pictures")
    parser.add_argument("--source", action="append", metavar="NAME", help="ask this source only")
    parser.set_defaults(run=_gather, goes_on=True)


def _gather(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.gather import gather, gather_from

    if arguments.folder and not arguments.path:
        raise KezakoError("--class says what the pictures of --from are; give both, or neither.")
    recipe = workspace.recipe(arguments.name)
    if arguments.path:
        print(gather_from(recipe, workspace, arguments.path, arguments.folder))
    else:
        print(gather(recipe, workspace, arguments.source))


def _add_pictures(commands: Commands) -> None:
    parser = add_command(
        commands,
        "pictures",
        "list every picture, and why others are not kept",
        "Lists each picture or address with its class, its status and the reason.",
        "kezako pictures wolves --status refused\nkezako pictures wolves --csv > wolves.csv",
    )
    parser.add_argument("name", metavar="NAME", help=CLASSIFIER)
    parser.add_argument("--csv", action="store_true", help="every column, for a spreadsheet")
    parser.add_argument(
        "--status", choices=STATUSES, metavar="STATUS", help=f"only one of: {', '.join(STATUSES)}"
    )
    parser.set_defaults(run=_pictures)


def _pictures(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.gather.summary import as_csv, as_table

    with manifest_of(arguments.name, workspace) as manifest:
        where = {"status": arguments.status} if arguments.status else {}
        rows = manifest.rows(**where)
    if arguments.csv:
        sys.stdout.write(as_csv(rows))
    else:
        print("\n".join(as_table(rows)))


def _add_credits(commands: Commands) -> None:
    parser = add_command(
        commands,
        "credits",
        "write the attributions that licences ask for",
        "Writes data/NAME/credits.md, and that of a trained classifier, which its page shows.",
        "kezako credits wolves",
    )
    parser.add_argument("name", metavar="NAME", help=CLASSIFIER)
    parser.set_defaults(run=_credits)


def _credits(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.gather.credits import write_credits

    recipe = workspace.recipe(arguments.name)
    with manifest_of(recipe.name, workspace) as manifest:
        print(write_credits(recipe, manifest, workspace))


def _add_clean(commands: Commands) -> None:
    parser = add_command(
        commands,
        "clean",
        "show the pictures that are probably wrong",
        "Lists the pictures that look wrong, with the reasons. Nothing is deleted: what you\n"
        "remove is moved aside, and --undo puts it back. Train again afterwards.",
        "kezako clean wolves --open\nkezako clean wolves --auto\nkezako clean wolves --undo",
        "clean.md",
    )
    parser.add_argument("name", metavar="NAME", help=CLASSIFIER)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--top", type=count, default=20, metavar="N", help="how many to show (20)")
    what.add_argument(
        "--auto", action="store_true", help="move what a strict rule is sure of, and list it"
    )
    what.add_argument("--undo", action="store_true", help="put back what was moved last")
    parser.add_argument("--open", action="store_true", help="then open the cleaner in a browser")
    parser.add_argument("--port", type=port, help="with --open: the port (8868, or one near it)")
    parser.add_argument("--no-browser", action="store_true", help="with --open: only say where")
    parser.set_defaults(run=_clean)


def _clean(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.dataset.readiness import check_comparable, next_step

    recipe = workspace.recipe(arguments.name)
    if arguments.open and (arguments.undo or arguments.auto):
        raise KezakoError("--open lets you decide by yourself; give it without --auto and --undo.")
    if arguments.undo:
        from kezako.clean.marks import undo

        back = undo(recipe, workspace)
        print(f"{back} pictures are back where they were." if back else "There is nothing to undo.")
        return
    # First: otherwise other problems would be reported first.
    check_installed("torch", "fastai", "sklearn")
    with manifest_of(recipe.name, workspace) as manifest:
        check_comparable(recipe, manifest.kept())  # before slow imports
    from kezako.clean.auto import clean
    from kezako.clean.suspects import as_lines, find_suspects

    if arguments.auto:
        cleaned = clean(recipe, workspace)
        print(cleaned)
        if cleaned.verdicts:
            print(f"To take that back: kezako clean {recipe.name} --undo")
            with manifest_of(recipe.name, workspace) as manifest:
                print(next_step(recipe, manifest))
        return
    print("\n".join(as_lines(find_suspects(recipe, workspace)[: arguments.top])))
    if arguments.open:
        _open_cleaner(arguments, workspace)
        return
    print(f"To see them, and keep, delete or move: kezako clean {recipe.name} --open")
    print(f"To move what is certain: kezako clean {recipe.name} --auto")


def _open_cleaner(arguments: argparse.Namespace, workspace: Workspace) -> None:
    from kezako.clean.server import open_cleaner

    open_cleaner(
        workspace.notebook("clean").resolve(),
        workspace.root,
        arguments.name,
        arguments.port,
        not arguments.no_browser,
    )
