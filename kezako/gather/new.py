"""Write a new recipe: a TOML file whose comments explain what you can change."""

from __future__ import annotations

import json
import os
import re
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kezako.errors import KezakoError
from kezako.lock import locked
from kezako.recipe import check_folder_name, parse_recipe
from kezako.workspace import Workspace

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

_TEMPLATE = """\
# What to tell apart, and how. Next:
#   kezako gather {shell_name}     looks for pictures, or --from FOLDER takes yours
#   kezako train {shell_name}      makes the classifier
#   kezako serve {shell_name}      puts it on a page
# A line that begins with # is a comment. Take the # away to use a setting. All but language, task
# and neither show what holds when they are left out. After a training, to change only words:
#   kezako update {shell_name}

title  = "Which of these is it?"        # the page's headline
prompt = "Choose a photo."              # what the page asks its visitor to do
answer = "This looks like: {{label}}."    # the page's answer; {{label}} becomes the class
# language = "de"                       # of the page's own sentences; else the browser decides

# pictures_per_class = 150              # more helps, but less and less
# sources = ["duckduckgo", "ddgs", "openverse", "wikimedia"]    # asked in this order
# licence = "any"                       # "free": only Creative Commons or public domain
# photos_only = true                    # false lets drawings in
# safe = true                           # false turns the search engines' safe search off
# min_side = 64                         # pixels a picture from the web needs; your own need 16
# respect_noai = true                   # skip pictures whose site says noai

# task = "multi"                        # each class its own yes or no, so "none" is an answer
# neither = ["landscape photo"]         # multi only: searches for pictures that show no class

# resize = "random-crop"                # or "squish" (whole but bent), "crop" (the middle), "pad"
# min_scale = 0.5                       # random-crop: the least share of a picture that is kept
# image_size = 224                      # pixels a side: half is four times as fast, and less sure
# colour = true                         # false where colour gives the class away by accident
# augment = true                        # train on turned, lit and flipped copies, too
# mult = 1.0                            # how strongly

# backbone = "resnet18"                 # or "resnet34", "resnet50": slower, for many pictures
# fit = "full"                          # "quick": a first model, sooner and a little worse
# epochs = 4                            # for "full": times over all pictures
# learning_rate = 2e-3                  # or "find"
# validation_share = 0.2                # pictures that are never trained on, to measure the error
# seed = 42                             # the same seed splits and trains alike

# A class, and what to search for to find it. A name alone can mislead: "black" finds walls,
# "black bear" finds bears. Several searches bring several kinds of picture.
# A class may have a name for people beside that of its folder:
#   grizzly = {{ name = "grizzly bear", search = ["grizzly bear"] }}
# Settings stand above this table: all that follows it is taken for a class. Below it, a table
# [words.de] may hold title, prompt and answer in German, and [words.de.classes] the classes' names.
[classes]
{classes}
"""


def new_recipe(
    workspace: Workspace,
    name: str,  # the folder under data/ and models/
    classes: Sequence[str],  # two or more; each is also its first search query
) -> Path:
    """Write `data/NAME/recipe.toml`, never overwriting one. Raises `KezakoError`."""
    name = check_folder_name(name)
    folders = [check_folder_name(each.strip()) for each in classes]
    if len(folders) < 2:
        raise KezakoError(
            "there must be at least two classes to tell apart: --classes first,second"
        )
    for folder in folders:
        if [other.casefold() for other in folders].count(folder.casefold()) > 1:
            raise KezakoError(f"the class {folder!r} stands twice; leave one out")
    text = recipe_text(name, folders)
    parse_recipe(text, name=name)  # check first that what will be written can be read
    return write_recipe(workspace.folder(name) / "recipe.toml", text)


def recipe_text(name: str, classes: Sequence[str]) -> str:
    """The commented recipe of `new_recipe`, as TOML."""
    lines = (f"{_key(each)} = [{quote(each)}]" for each in classes)
    return _TEMPLATE.format(shell_name=shlex.quote(name), classes="\n".join(lines))


def write_recipe(
    path: Path,
    text: str,
) -> Path:
    """Write a recipe atomically. Raises `KezakoError` if there is one already."""
    with locked(path.parent, inside=True):
        if path.exists():
            raise KezakoError(
                f"there is a recipe already: {path}. Edit it, or choose another name."
            )
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=path.parent, suffix=".tmp", delete=False
        ) as file:
            file.write(text)
        os.chmod(file.name, 0o644)  # temporary files are private; a recipe is for sharing
        os.replace(file.name, path)
    return path


def quote(text: str) -> str:
    """`text` as a TOML string: JSON's escapes, plus DEL, which TOML requires."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else quote(name)
