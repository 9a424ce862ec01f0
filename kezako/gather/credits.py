"""The attributions that the pictures' licences require."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path

from kezako.dataset.manifest import Manifest
from kezako.dataset.row import Row
from kezako.model.bundle import CREDITS, amend, list_bundles
from kezako.recipe import Recipe
from kezako.workspace import Workspace


def write_credits(recipe: Recipe, manifest: Manifest, workspace: Workspace) -> Path:
    """Write the credits to data/NAME and, if there is a bundle, into it; returns the former's path.

    Raises `KezakoError` while another process writes the bundle.
    """
    target = write_beside(recipe, manifest, workspace)
    if recipe.name in list_bundles(workspace.models):
        amend(workspace.bundle(recipe.name), {CREDITS: target.read_bytes()})
    return target


def write_beside(recipe: Recipe, manifest: Manifest, workspace: Workspace) -> Path:
    """Write `data/NAME/credits.md`."""
    target = workspace.folder(recipe.name) / CREDITS
    text = credits(manifest, recipe.title)
    # An atomic write needs no lock: two processes at once would write the same text.
    handle, staged = tempfile.mkstemp(prefix=".credits-", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(staged, 0o644)  # temporary files are private
        os.replace(staged, target)
    finally:
        Path(staged).unlink(missing_ok=True)
    return target


def credits(
    manifest: Manifest,
    title: str,  # of the classifier
) -> str:
    """Markdown: who made each kept picture, under which licence, and where it is from."""
    kept = sorted(manifest.kept(), key=lambda row: (row.folder, row.creator or "", row.id or 0))
    known = [row for row in kept if row.licence]
    lines = [f"# Pictures of {_plain(title)}", ""]
    lines += [f"{len(known)} pictures with a known licence, class by class.", ""] if known else []
    folder = None
    for row in known:
        if row.folder != folder:
            folder = row.folder
            lines += [f"## {_plain(folder)}", ""]
        lines.append(_credit(row))
    if unknown := [row for row in kept if not row.licence]:
        lines += ["", "## Without a known licence", "", _sources_of(unknown)]
    return "\n".join(lines) + "\n"


def _credit(row: Row) -> str:
    name = f"“{_plain(row.title or 'untitled')}”"
    where = row.page or row.url
    linked = f"[{name}](<{_address(where)}>)" if where else name
    return f"- {linked} by {_plain(row.creator or 'unknown')}, {_plain(row.licence)}"


def _sources_of(rows: Sequence[Row]) -> str:
    by_hand = sum(row.url is None for row in rows)
    found = len(rows) - by_hand
    parts = []
    if found:
        parts.append(f"{found} pictures whose source names no licence: ask before publishing them.")
    if by_hand:
        parts.append(f"{by_hand} pictures put there by hand.")
    return "\n".join(parts)


def _plain(value: object) -> str:
    # Titles and names are untrusted: Markdown and HTML in them must have no effect.
    line = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|!" else c for c in escape(line, quote=False))


def _address(url: str) -> str:
    return "".join(c for c in url if c.isprintable() and c not in "<> ")
