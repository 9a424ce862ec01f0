"""Decide which errors are shown as a sentence, and which keep their traceback.

An error that the user can act on is a `KezakoError`: its message says what is wrong and what to
do, and all interfaces (command line, notebook, page, API) show only that message. OSError and
sqlite3.Error come from the machine; `sentence` puts them into words. Anything else is a bug in
this program, and keeps its traceback.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from socket import gaierror
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

TOLD = "KezakoError: "  # starts the last line of a notebook's error output
ROOM = 1 << 20  # bytes; with less free, a failed write is blamed on the full disk
AGAIN = "then run the same command again"

_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
# SQLite's own error codes -> the errno of the same problem.
_OF_THE_DISK = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_IOERR: errno.EIO,
}


class KezakoError(ValueError):
    """An error that the user can fix; the message says what is wrong and what to do."""

    def __init__(self, *said: object):
        super().__init__(*said)
        self._said = super().__str__()  # saved here, since fastai adds its own words to `args`

    def __str__(self) -> str:
        return self._said

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback."""
        return [f"{TOLD}{self}"]


def sentence(
    error: BaseException,
    # Where the program writes, as an error may not say which disk is full.
    places: Sequence[Path] = (),
) -> str | None:
    """The message for the user; None if `error` is a bug in this program."""
    if isinstance(error, KezakoError):
        return str(error)
    if isinstance(error, sqlite3.Error):
        return of_database(error, None, places)
    if isinstance(error, OSError):
        return _of_system(error, places)
    return None


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext kezako.errors`: show the sentence below the traceback of such an error."""

    def show(
        shell: InteractiveShell, kind: Any, error: Any, trace: Any, tb_offset: int | None = None
    ) -> None:
        if told := sentence(error, [Path.cwd()]):
            lines = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset)
            error._render_traceback_ = lambda: [*lines, f"{TOLD}{told}"]
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)

    shell.set_custom_exc((OSError, sqlite3.Error), show)


def of_database(
    error: sqlite3.Error,
    file: Path | None,  # the manifest, which SQLite does not name
    places: Sequence[Path] = (),
) -> str | None:
    """Like `sentence`, for an error of SQLite; None if the query itself was wrong."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code; the rest is detail
    if file and file.is_dir():
        return _wants_file(file)
    if code in _DAMAGED or "no such " in str(error):
        return _damaged(file or Path("data/NAME/manifest.db"), str(error))
    if code in _BUSY:
        name = file or "A manifest (data/NAME/manifest.db)"
        return f"{name} is in use by another program{_who_has(file)}. Wait for its end, {AGAIN}."
    if code not in _OF_THE_DISK:
        return None
    number = _OF_THE_DISK[code]
    return _of_system(OSError(number, os.strerror(number), str(file) if file else None), places)


@contextmanager
def writing(*folders: Path) -> Iterator[None]:
    """Turn a library's error about a full disk into a `KezakoError` with our sentence.

    Raises `KezakoError` if the block fails while a disk is full: that of one of `folders`, or of
    temporary files.
    """
    try:
        yield
    except KezakoError:
        raise
    except Exception as error:
        for folder in (*folders, Path(tempfile.gettempdir())):
            if shutil.disk_usage(existing(folder)).free < ROOM:
                raise KezakoError(disk_full(folder)) from error
        raise


def disk_full(folder: Path) -> str:
    """The sentence for a full disk."""
    where = existing(folder)
    free = size(shutil.disk_usage(where).free)
    return f"The disk is full: {free} are free where {where} lies. Make room there, {AGAIN}."


def existing(folder: Path) -> Path:
    """`folder`, or its nearest parent that exists."""
    return next(each for each in (folder, *folder.absolute().parents) if each.exists())


def size(count: int) -> str:
    """Bytes in GB, MB or KB, for people."""
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count // 1024} KB"


def _of_system(error: OSError, places: Sequence[Path]) -> str | None:
    if isinstance(error, shutil.Error) and isinstance(error.args[0], list):
        source, target, why = error.args[0][0]  # the first of the files that were not copied
        if why.startswith(f"[Errno {errno.ENOSPC}]"):
            return disk_full(Path(target))
        return f"{source} cannot be copied to {target}: {why}."
    code = error.errno
    if code is None:
        return _of_network(error)
    named = [
        os.fsdecode(name)
        for name in (error.filename, error.filename2)
        if isinstance(name, str | bytes)
    ]
    if code in (errno.ENOSPC, errno.EDQUOT):
        tried = [Path(name).parent for name in named] or [*places, Path(tempfile.gettempdir())]
        return disk_full(min(tried, key=lambda each: shutil.disk_usage(existing(each)).free))
    if code in (errno.EMFILE, errno.ENFILE):
        return f"Too many files are open at once. Allow more with: ulimit -n 4096, {AGAIN}."
    if code == errno.ENOMEM:
        return f"There is not enough memory. End other programs, {AGAIN}."
    reason = str(error.strerror or error).rstrip(".")
    if not named:
        return _of_network(error) or f"The system refuses: {reason}."
    return _of_file(code, Path(named[-1]), " and ".join(named), reason)


def _of_file(code: int, file: Path, name: str, reason: str) -> str:
    whole = [*reversed(file.parents), *([file] if code in (errno.ENOTDIR, errno.EEXIST) else [])]
    if blocking := next((each for each in whole if each.is_file()), None):
        return f"{blocking} is a file, and a folder belongs there. Move it away, {AGAIN}."
    if code == errno.EISDIR:
        return _wants_file(file)
    if code == errno.ENOENT:
        return f"There is no {name}."
    if code == errno.EROFS and not _is_read_only(file):
        code = errno.EACCES  # SQLite does not distinguish them
    if code == errno.EROFS:
        return (
            f"{name} cannot be written: its disk is read-only. Work on one that can be written; "
            "KEZAKO_HOME names the folder that holds data/ and models/."
        )
    if code in (errno.EACCES, errno.EPERM):
        return (
            f"You have no permission for {name}{_owner(file)}. Change its mode or its owner, or "
            "work in a folder of your own, which KEZAKO_HOME names."
        )
    if code == errno.EIO:
        return f"The disk reports a fault at {name}. Copy what you can to another disk."
    return f"{name}: {reason}."


def _of_network(error: OSError) -> str | None:
    """A server that does not answer is not a bug of ours; other errors without errno may be."""
    cause = getattr(error, "reason", error)
    if cause is error and not isinstance(error, ConnectionError | TimeoutError | gaierror):
        return None
    reason = getattr(cause, "strerror", None) or cause or type(cause).__name__
    return f"The network does not answer: {reason}."


def _damaged(file: Path, reason: str) -> str:
    folder, aside = file.parent, file.parent / "damaged"
    return (
        f"{file} is damaged ({reason}). No picture is lost: they are in {folder / 'pictures'}. "
        "Lost is what was noted of them: where each came from, what was cleaned, and its side of "
        f"the split. To go on, set the notes aside with: mkdir {quote(str(aside))} && "
        f"mv {quote(str(folder))}/manifest.db* {quote(str(aside))} - then kezako gather "
        f"{quote(folder.name)} or kezako train {quote(folder.name)} takes the pictures in again."
    )


def _wants_file(file: Path) -> str:
    return f"{file} is a folder, and a file belongs there. Move it away, {AGAIN}."


def _is_read_only(file: Path) -> bool:
    try:
        return bool(os.statvfs(existing(file)).f_flag & os.ST_RDONLY)
    except (AttributeError, OSError):  # Windows
        return False


def _owner(file: Path) -> str:
    try:
        return f" (it is {existing(file).owner()}'s)"
    except (OSError, KeyError, NotImplementedError):  # no name, or Windows
        return ""


def _who_has(file: Path | None) -> str:
    """Which other process has the file open, if the system tells."""
    if file is None:
        return ""
    import psutil  # lazy: only this sentence needs it

    whole = str(file.resolve())
    for process in psutil.process_iter(["name"]):
        try:
            others = process.open_files() if process.pid != os.getpid() else ()
            if any(each.path == whole for each in others):
                return f" ({process.info['name']}, process {process.pid})"
        except (psutil.Error, OSError):  # it ended in the meantime, or belongs to another user
            continue
    return ""
