"""Compare the sizes of what is written with the host's limits."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

from kezako.deploy.hosts import COPIES, MB, PACKAGES, SERVER, Host
from kezako.model.bundle import MODEL


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    size: int  # bytes
    limit: int | None = None  # bytes; None: no limit
    advice: str = ""  # what to do if it is too large
    certain: bool = True  # True: the host refuses it; False: the host may kill it

    @property
    def fits(self) -> bool:
        return self.limit is None or self.size <= self.limit


def measure(folder: Path, host: Host) -> list[Row]:
    """The rows of the table for a staged folder."""
    files = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    models = {path: size for path, size in files.items() if (folder / "models") in path.parents}
    largest = max(files, key=lambda path: files[path])
    weights = max(size for path, size in models.items() if path.name == MODEL)
    smaller = 'Train one with backbone = "resnet18" in its recipe.'
    return [
        Row("the classifier", sum(models.values())),
        Row("Kezako, the notebook and the rest", sum(files.values()) - sum(models.values())),
        Row("the largest file", files[largest], host.file, smaller),
        Row("packages that it installs, compressed", PACKAGES),
        Row("all of it, compressed", PACKAGES + sum(map(_packed, files)), host.together, smaller),
        Row(
            "memory, with a visitor and the API at work",
            int(SERVER + COPIES * weights),
            host.memory,
            f"Take a larger machine there, or a smaller classifier. {smaller}",
            certain=False,
        ),
    ]


def as_lines(rows: list[Row]) -> list[str]:
    """The table as lines of text."""
    lines = []
    for row in rows:
        limit = f"of {_megabytes(row.limit)}" if row.limit else ""
        lines.append(f"  {row.what:44} {_megabytes(row.size):>9} {limit}".rstrip())
    return lines


def problems(rows: list[Row], host: Host, certain: bool) -> str:
    """Sentences about what exceeds limits: certain refusals, or possible trouble; else empty."""
    return " ".join(
        f"{host.title} allows {_megabytes(row.limit)} for {row.what}, and this is "
        f"{_megabytes(row.size)}. {row.advice}"
        for row in rows
        if row.limit and not row.fits and row.certain == certain
    )


def _packed(path: Path) -> int:
    return len(zlib.compress(path.read_bytes(), 6))


def _megabytes(size: int) -> str:
    return f"{size / MB:,.1f} MB"
