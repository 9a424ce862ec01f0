"""The hosts: what each allows, in the words of its own documentation."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1_000_000

# What requirements.txt installs, compressed: python benchmarks/slug.py
PACKAGES = 110 * MB
# What a server holds with a visitor and the API at work: so much, and so many times the model's
# file. Between what was measured of models of 13.5 and 46.9 MB: python benchmarks/dyno.py NAME
SERVER = 210 * MB
COPIES = 5.5


@dataclass(frozen=True)
class Host:
    """Limits in bytes; None where the host names none that this could reach."""

    name: str  # on the command line, and of the folder of its files
    title: str
    memory: int  # of the smallest machine that one gets there
    together: int | None = None  # the folder and all that is installed, compressed
    file: int | None = None  # the largest that a push may hold
    large_files: bool = False  # whether models have to travel by git-lfs
    pins: str = "requirements.txt"  # where it looks for what to install


HOSTS = {
    host.name: host
    for host in (
        # The slug, and the smallest dyno.
        Host("heroku", "Heroku", memory=512 * MB, together=500 * MB),
        # Binder takes what GitHub takes.
        Host("binder", "Binder", memory=2000 * MB, file=100 * MB, pins="binder/requirements.txt"),
        Host("spaces", "Hugging Face Spaces", memory=16_000 * MB, large_files=True),
    )
}
