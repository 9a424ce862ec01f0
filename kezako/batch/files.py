"""List the files to classify, always in the same order."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence

from kezako.errors import KezakoError


def check(given: Sequence[str]) -> None:
    """Raise `KezakoError` for a path that is neither a file nor a folder."""
    for path in given:
        if not os.path.exists(path):
            raise KezakoError(f"There is no file or folder {path!r}.")
        if not os.path.isdir(path) and not os.path.isfile(path):
            raise KezakoError(f"{path!r} is neither a file nor a folder.")


def files(
    given: Sequence[str],  # files, and folders that are searched recursively
    leaving_out: Collection[str] = (),  # absolute paths of the run's own output
) -> Iterator[str]:
    """Every file, folder by folder, by name; hidden ones only if they are given themselves.

    Only the names in the current folders are kept in memory. Links to folders are not followed,
    since they can form a loop. Raises `KezakoError` for a folder that cannot be read.
    """
    for path in given:
        for file in _inside(path) if os.path.isdir(path) else [path]:
            if os.path.abspath(file) not in leaving_out:
                yield file


def _inside(folder: str) -> Iterator[str]:
    ahead = [iter(_entries(folder))]
    while ahead:
        entry = next(ahead[-1], None)
        if entry is None:
            ahead.pop()
        elif entry.is_dir(follow_symlinks=False):
            ahead.append(iter(_entries(entry.path)))
        elif entry.is_file():  # not a named pipe, which would block for ever
            yield entry.path


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            shown = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise KezakoError(f"The folder {folder!r} cannot be read ({error.strerror}).") from error
    return sorted(shown, key=lambda entry: entry.name)
