"""The hosts and their limits, from their documentation."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1_000_000

# Size of the packages in requirements.txt, compressed; measured with: python benchmarks/slug.py
PACKAGES = 110 * MB
# Memory of a server with one visitor and the API in use: SERVER + COPIES * size of model.onnx.
# Fitted to measurements of models of 13.5 and 46.9 MB: python benchmarks/dyno.py NAME
SERVER = 210 * MB
COPIES = 5.5


@dataclass(frozen=True)
class Host:
    """Limits in bytes; None if the host has no limit that matters here."""

    name: str  # on the command line, and of its folder in `files/`
    title: str
    memory: int  # of the smallest machine there
    together: int | None = None  # the folder and all installed packages, compressed
    file: int | None = None  # largest file in a push
    large_files: bool = False  # whether models must be pushed with git-lfs
    pins: str = "requirements.txt"  # where it looks for the packages to install


HOSTS = {
    host.name: host
    for host in (
        # The limit of the slug, and the memory of the smallest dyno.
        Host("heroku", "Heroku", memory=512 * MB, together=500 * MB),
        # Binder uses GitHub's limit.
        Host("binder", "Binder", memory=2000 * MB, file=100 * MB, pins="binder/requirements.txt"),
        Host("spaces", "Hugging Face Spaces", memory=16_000 * MB, large_files=True),
    )
}
