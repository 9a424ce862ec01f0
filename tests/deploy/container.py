"""A Dockerfile played without a container engine: its steps run in a copy-on-write root.

The root of this machine stands for the base image, with Python at `/opt/base`. Every step runs with
mounts of its own, as the user and with the environment that the Dockerfile says, and what it writes
is kept in a folder. What this cannot show: that the base image's own system libraries suffice.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from dockerfile_parse import DockerfileParser

PYTHON = "/opt/base"
_ENTER = """
mount -t overlay overlay -o lowerdir=/,upperdir="$UPPER",workdir="$WORK" "$ROOT"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
exec chroot --userspec="$AS" "$ROOT" /usr/bin/env -i "$@"
"""
_ALONE = ["unshare", "--mount", "sh", "-ec", _ENTER, "sh"]


def unable(folder: Path) -> str:
    """Why no steps can be played here; empty where they can."""
    if os.geteuid() != 0:
        return "only root can enter another root"
    done = _enter(folder, ["PATH=/usr/bin:/bin", "true"], user="0:0")
    return done.stderr.strip() if done.returncode else ""


@dataclass
class Image:
    """What has been built so far."""

    context: Path  # the folder of the Dockerfile
    folder: Path  # where its root's changes are kept
    environment: dict[str, str] = field(default_factory=lambda: {
        "PATH": f"{PYTHON}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
    })  # fmt: skip
    arguments: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    workdir: str = "/"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def root(self) -> Path:
        """What it has that the base has not."""
        return self.folder / "upper"

    def build(self, more: Mapping[str, str]) -> Image:
        """Play every step; `more` is this machine's environment for those that install."""
        for step in instructions(self.context):
            word, rest = step["instruction"], step["value"]
            if word == "RUN":
                done = _enter(self.folder, self._call(["sh", "-c", rest], more), self.user)
                assert done.returncode == 0, f"{word} {rest}\n{done.stdout}{done.stderr}"
            else:
                getattr(self, f"_{word.lower()}")(rest)
        return self

    def start(self, command: list[str]) -> list[str]:
        """The command, of this machine, that runs one in the container."""
        return ["env", *_settings(self.folder, self.user), *_ALONE, *self._call(command, {})]

    def also(self, command: list[str], pid: int) -> list[str]:
        """The command that runs one beside process `pid` of the container, as `docker exec`."""
        inside = ["nsenter", f"--target={pid}", "--mount", "--root"]
        return [*inside, "chroot", f"--userspec={self.user}", "/", "env", "-i",
                *self._call(command, {})]  # fmt: skip

    def _call(self, command: list[str], more: Mapping[str, str]) -> list[str]:
        settings = {**more, **self.arguments, **self.environment}
        pairs = [f"{name}={value}" for name, value in settings.items()]
        return [f"--chdir={self.workdir}", *pairs, *command]

    def _from(self, rest: str) -> None:
        """The base is there."""

    def _arg(self, rest: str) -> None:
        name, _, value = rest.partition("=")
        self.arguments[name] = value

    def _env(self, rest: str) -> None:
        self.environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))

    def _workdir(self, rest: str) -> None:
        self.workdir = rest
        (self.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def _user(self, rest: str) -> None:
        self.user = f"{rest}:{rest}"

    def _expose(self, rest: str) -> None:
        self.port = int(rest)

    def _healthcheck(self, rest: str) -> None:
        self.health = json.loads(rest.partition("CMD ")[2])

    def _cmd(self, rest: str) -> None:
        self.command = json.loads(rest)

    def _copy(self, rest: str) -> None:
        """As Docker does: a folder's content, less what .dockerignore names, owned by root."""
        for name, value in self.arguments.items():
            rest = rest.replace(f"${{{name}}}", value)
        source, place = rest.split()
        target = self.root / self.workdir.lstrip("/") / place
        sent = sent_by(self.context)
        files = [name for name in sent if name == source or name.startswith(f"{source}/")]
        assert files, f"COPY {source}: it is not sent"
        for name in files:
            inside = name.removeprefix(source).lstrip("/") or (
                Path(name).name if place.endswith("/") else ""
            )
            to = target / inside
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.context / name, to)


def instructions(context: Path) -> list[dict[str, str]]:
    """The steps of a Dockerfile, in order, without comments."""
    parser = DockerfileParser(path=str(context), env_replace=False)
    return [step for step in parser.structure if step["instruction"] != "COMMENT"]


def sent_by(context: Path) -> list[str]:
    """The files that `docker build` sends to the engine."""
    ignore = context / ".dockerignore"
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.exists() else []
    patterns = [line for line in lines if line and not line.startswith("#")]
    names = (str(path.relative_to(context)) for path in context.rglob("*") if path.is_file())
    return sorted(name for name in names if not _left_out(name, patterns))


def _left_out(name: str, patterns: list[str]) -> bool:
    """Unlike git's, these begin at the root, and the last one that fits decides."""
    path, out = PurePosixPath("/", name), False
    for pattern in patterns:
        wanted = pattern.removeprefix("!")
        wanted = wanted[3:] if wanted.startswith("**/") else f"/{wanted}"
        if any(place.match(wanted) for place in (path, *path.parents)):
            out = not pattern.startswith("!")
    return out


def _enter(folder: Path, call: list[str], user: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_ALONE, *call],
        env={**os.environ, **dict(pair.split("=", 1) for pair in _settings(folder, user))},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def _settings(folder: Path, user: str) -> list[str]:
    places = {"UPPER": folder / "upper", "WORK": folder / "work", "ROOT": folder / "root"}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    return [*(f"{name}={place}" for name, place in places.items()), f"AS={user}"]
