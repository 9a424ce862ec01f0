"""The packages that a host installs for the page, and their size, compressed.

    python benchmarks/slug.py                    # a fresh environment from requirements.txt
    python benchmarks/slug.py --environment DIR  # one that is there

Heroku packs an application into a slug, and allows 500 MB for it. The application itself comes on
top: `kezako deploy heroku NAME FOLDER` says how large it is.
"""

from __future__ import annotations

import argparse
import gzip
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import record  # noqa: E402

MB = 1_000_000
HELD = 120 * MB


class _Counted(io.RawIOBase):
    """Counts bytes that are written to it."""

    size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        count = memoryview(data).nbytes  # type: ignore[arg-type]
        self.size += count
        return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environment", type=Path, help="measure this one")
    record.add_option(parser)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = given.environment or install(Path(folder) / "environment")
        packages = packages_of(environment)
        print(f"{installed(packages) / MB:7.1f} MB installed, the largest of it:")
        for name, size in largest(packages):
            print(f"{size / MB:7.1f} MB   {name}")
        size = compressed(packages)
        whole = installed(packages)
    record.keep(given.results, "slug", {"installed MB": whole / MB, "compressed MB": size / MB})
    print(f"{size / MB:7.1f} MB compressed (held to {HELD / MB:.0f})")
    sys.exit(size > HELD)


def install(environment: Path, requirements: Path = ROOT / "requirements.txt") -> Path:
    """A fresh environment with the packages that a host installs."""
    venv.create(environment, with_pip=True)
    subprocess.run(
        [environment / "bin" / "python", "-m", "pip", "install", "--quiet",
         "--disable-pip-version-check", "-r", requirements],
        cwd=requirements.parent, check=True,
    )  # fmt: skip
    return environment


def packages_of(environment: Path) -> Path:
    """Its site-packages."""
    return next((environment / "lib").glob("python3*")) / "site-packages"


def installed(folder: Path) -> int:
    """Size of all files in bytes."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def largest(folder: Path, count: int = 5) -> list[tuple[str, int]]:
    """The largest folders directly in it."""
    sizes = {path.name: installed(path) for path in folder.iterdir() if path.is_dir()}
    return sorted(sizes.items(), key=lambda pair: -pair[1])[:count]


def compressed(folder: Path) -> int:
    """Size of the folder as .tar.gz, in bytes."""
    counted = _Counted()
    with (
        gzip.GzipFile(fileobj=counted, mode="wb", compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        archive.add(folder, arcname=os.fspath(folder.name))
    return counted.size


if __name__ == "__main__":
    main()
