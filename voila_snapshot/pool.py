"""The snapshots of one notebook: which one a visitor gets, and when they are made again."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterable, Mapping
from glob import glob
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from traitlets import Any as AnyTrait
from traitlets import Dict, Float, Integer, List, Unicode, default
from traitlets.config import LoggingConfigurable
from traitlets.utils.importstring import import_item

from voila_snapshot.fork import memory
from voila_snapshot.logs import Scribe, all_together, plain
from voila_snapshot.snapshot import Snapshot, SnapshotError

PROVISIONER = "snapshot-provisioner"  # as in pyproject.toml
# What Voilà tells a kernel about its visitor, as far as it is known before there is one.
NOBODY = {
    "SCRIPT_NAME": "/",
    "PATH_INFO": "",
    "QUERY_STRING": "",
    "SERVER_SOFTWARE": "",
    "SERVER_PROTOCOL": "",
    "SERVER_PORT": "",
    "SERVER_NAME": "",
    "VOILA_PREHEAT": "False",
    "VOILA_BASE_URL": "/",
    "VOILA_SERVER_URL": "/",
    "VOILA_REQUEST_URL": "",
    "VOILA_APP_PORT": "",
    "VOILA_KERNEL_ID": "",
}
_EVERY = 1.0  # seconds between checks of the watched files
_STILL = 0.5  # seconds without a change; then the watched files count as complete
_SETTLING = 10.0  # seconds to wait for that, at most
_STABLE = 60.0  # seconds; if a snapshot ends sooner, the next start is delayed
_LONGEST = 300.0  # seconds between attempts, at most
_UNUSED = 60.0  # seconds without a visitor; then a snapshot may give way to another


class Snapshots(LoggingConfigurable):
    """The snapshots of one notebook.

    A snapshot suits a visitor if all the variables about visitors that its notebook read have this
    visitor's values. If the notebook reads none, or they are the same for all, one snapshot is
    enough.
    """

    notebook = Unicode(help="Path of the notebook; that of the server by default.").tag(config=True)
    watched = List(
        Unicode(), help="Patterns of paths: a change makes a new snapshot, as the notebook's does."
    ).tag(config=True)
    spares = Integer(1, help="Kernels forked ahead of their visitors.").tag(config=True)
    niceness = Integer(5, help="Of visitors' kernels, so that the server goes first.").tag(
        config=True
    )
    limit = Integer(4, help="Snapshots kept at once.").tag(config=True)
    patience = Float(10.0, help="Seconds that a visitor waits for a first snapshot.").tag(
        config=True
    )
    queries = AnyTrait(
        None,
        allow_none=True,
        help="""Returns the queries of the page's address, such as "model=bears", that get a
        snapshot of their own; visitors with any other share the one for none. None: every query
        gets its own up to the limit, and visitors beyond it ordinary kernels.""",
    )
    reduced = Dict(
        value_trait=Unicode(),
        help="""Variable about a visitor -> importable name of a function that reduces its value to
        one of a few, such as {"HTTP_ACCEPT_LANGUAGE": "package.language_of"}. Snapshots are chosen
        by what it returns, and kernels get that as their variable. A value beyond the limit gets
        the snapshot of the value that the function returns for "".""",
    ).tag(config=True)
    prepare = AnyTrait(
        None, allow_none=True, help="Awaited with each new snapshot before visitors get it."
    )

    @default("notebook")
    def _notebook(self) -> str:
        return str(getattr(self.parent, "notebook_path", None) or "")

    def __init__(self, **settings: Any):
        super().__init__(**settings)
        self._reductions = {name: import_item(path) for name, path in self.reduced.items()}
        self.state = "warming"  # or "ready", or "ordinary": kernels are started without a snapshot
        self.why = ""  # why the state is "ordinary"
        self._current: list[Snapshot] = []  # the first is for visitors without a query
        self._retired: list[Snapshot] = []
        self._starting: set[Snapshot] = set()  # not in either list yet
        self._making: dict[frozenset[tuple[str, str]], asyncio.Task[Snapshot]] = {}
        self._settled = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._written = all_together()  # common log limit of snapshots and kernels

    def start(self) -> None:
        """Make a snapshot now, and again whenever needed. Needs a running event loop."""
        if self._keeper is None:
            self._keeper = asyncio.ensure_future(self._keep())

    def stop(self) -> None:
        """End all snapshots and the kernels forked from them."""
        if self._keeper is not None:
            self._keeper.cancel()
        for snapshot in (*self._current, *self._retired, *self._starting):
            snapshot.kill()
        self._current, self._retired = [], []

    async def settled(self) -> None:
        """Wait until it is known whether there is a snapshot."""
        await self._settled.wait()

    def memory(self) -> int:
        """Bytes of snapshot processes and spare kernels, with their share of shared memory."""
        pids = [pid for one in (*self._current, *self._retired) for pid in one.pids]
        return sum(memory(pid, shared=True) or 0 for pid in pids)

    def scribe(self, who: str) -> Scribe:
        """A scribe for the output of process `who`."""
        return Scribe(self.log, who, self._written)

    def reduce(self, environment: Mapping[str, str]) -> dict[str, str]:
        """A visitor's variables as the kernel gets them: those in `reduced` reduced."""
        few = {name: do(environment.get(name, "")) for name, do in self._reductions.items()}
        return {**environment, **few}

    async def choose(self, environment: Mapping[str, str]) -> Snapshot | None:
        """The snapshot for a visitor with these variables; None: start an ordinary kernel."""
        self.start()
        try:
            await asyncio.wait_for(self.settled(), self.patience)
        except TimeoutError:
            return None
        return await self._choose(self._asked(environment))

    async def _choose(self, asked: dict[str, str]) -> Snapshot | None:
        self._current = [one for one in self._current if one.is_alive]
        if not self._current:
            return None
        for one in self._current:
            if _suits(one, asked):
                self._use(one)
                return one
        return await self._make_for(asked)

    def _asked(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The visitor's variables, each reduced to a value that may have a snapshot."""
        environment = self.reduce(environment)
        asked = {
            name: environment.get(name, "")
            for name in {*NOBODY, *environment}
            if name in NOBODY or name in self._reductions or name.startswith("HTTP_")
        }
        if self.queries is not None:
            asked["QUERY_STRING"] = _reduced(asked["QUERY_STRING"], self.queries())
        return asked

    def _use(self, snapshot: Snapshot) -> None:
        """Mark as used: the first snapshot stays first, the others are in order of last use."""
        if snapshot is not self._current[0]:
            self._current.remove(snapshot)
            self._current.append(snapshot)

    async def _make_for(self, asked: dict[str, str]) -> Snapshot | None:
        first = self._current[0]
        differing = {
            name: value
            for name, value in asked.items()
            if name in first.read and value != first.environment.get(name, "")
        }
        if len(self._current) + len(self._making) >= self.limit and not self._make_room(differing):
            default = asked | self.reduce({})
            if default != asked:
                return await self._choose(default)
            return None if self.queries is None else first
        key = frozenset(differing.items())
        if key not in self._making:
            base = first if self._are_few(differing) else None
            self._making[key] = asyncio.ensure_future(self._make(asked, base))
            self._making[key].add_done_callback(lambda _: self._making.pop(key, None))
        try:
            made = await asyncio.shield(self._making[key])
        except SnapshotError as error:
            visitor = plain(repr(differing), 200)
            self.log.warning("There is no snapshot for %s, because %s.", visitor, error)
            return None if self.queries is None else first
        # All snapshots were replaced in the meantime.
        if self._current and self._current[0] is not first:
            self._retire(made)
            return await self._choose(asked)
        if made not in self._current:
            self._current.append(made)
        return made

    def _make_room(self, differing: Mapping[str, str]) -> bool:
        """Let the snapshot that was used least recently go, for one with `differing` variables.

        One with visitors keeps its memory until they leave, so it goes only for another query,
        which no other snapshot can answer.
        """
        if not self._are_few(differing):
            return False
        others = self._current[1:]
        leaving = [one for one in others if one.unused() > _UNUSED]
        if not leaving and set(differing) == {"QUERY_STRING"}:
            leaving = others
        for one in leaving[:1]:
            self._current.remove(one)
            self._retire(one)
        return bool(leaving)

    def _are_few(self, names: Iterable[str]) -> bool:
        """Whether each of these variables is reduced to a few values."""
        queries = set() if self.queries is None else {"QUERY_STRING"}
        return set(names) <= queries | set(self._reductions)

    def _retire(self, snapshot: Snapshot) -> None:
        snapshot.retire()
        self._retired.append(snapshot)

    async def _keep(self) -> None:
        pause, again = 0.0, False
        while True:
            signature, begun = self._signature(), time.monotonic()
            try:
                made = await self._make({})
            except Exception as error:
                if not isinstance(error, SnapshotError):
                    self.log.exception("A snapshot could not be made.")
                pause = min(max(1.0, 2 * pause), _LONGEST)
                self._fall_back(str(error))
                await self._until_changed(signature, pause)
                continue
            exchanged = self._signature() != signature
            if exchanged and not again and any(one.is_alive for one in self._current):
                again = True  # it may have read some files before and some after the change
                self._retire(made)
                await self._still()
                continue
            again = False
            former, self._current = self._current, [made]
            for one in former:
                self._retire(one)
            self.state, self.why = "ready", ""
            self._settled.set()
            await self._until_changed(signature, None, made)
            if not made.is_alive:
                brief = time.monotonic() - begun < _STABLE
                pause = min(max(1.0, 2 * pause), _LONGEST) if brief else 0.0
                self.log.warning("The snapshot's process ended; another starts.")
                self.state = "warming"
                self._settled.clear()
                await asyncio.sleep(pause)

    def _fall_back(self, why: str) -> None:
        if any(one.is_alive for one in self._current):
            self.log.warning("The snapshot before the last change stays, because %s.", why)
            return
        if why != self.why:
            self.log.warning("Every visitor's kernel starts from nothing, because %s.", why)
        self.state, self.why = "ordinary", why
        self._settled.set()

    async def _until_changed(
        self, signature: object, pause: float | None, living: Snapshot | None = None
    ) -> None:
        """Wait until a watched file changes, `pause` seconds have passed, or `living` ends."""
        end = None if pause is None else time.monotonic() + pause
        while end is None or time.monotonic() < end:
            await asyncio.sleep(_EVERY)
            # Is_alive also reaps the others.
            self._retired = [one for one in self._retired if one.is_alive]
            if living and not living.is_alive:
                return
            if self._signature() != signature:
                await self._still()
                return

    async def _still(self) -> None:
        """Wait while the watched files are being written."""
        end, before = time.monotonic() + _SETTLING, None
        while (now := self._signature()) != before and time.monotonic() < end:
            before = now
            await asyncio.sleep(_STILL)

    def _signature(self) -> list[tuple[str, int, int, int]]:
        paths = [
            self.notebook,
            *(path for pattern in self.watched for path in sorted(glob(pattern))),
        ]
        signature = []
        for path in paths:
            try:
                stat = os.stat(path)
            except OSError:
                continue
            signature.append((path, stat.st_mtime_ns, stat.st_size, stat.st_ino))
        return signature

    async def _make(self, asked: Mapping[str, str], base: Snapshot | None = None) -> Snapshot:
        """A snapshot for these variables; of a copy of `base` if there is one."""
        if not hasattr(os, "fork"):
            raise SnapshotError(f"{sys.platform} cannot copy a process")
        path = Path(self.notebook).resolve()
        try:
            notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        except Exception as error:
            raise SnapshotError(f"{path} cannot be read: {error}") from error
        spec = self._specification(notebook)
        snapshot = Snapshot(
            notebook,
            python=_python(spec),
            folder=path.parent,
            environment={**os.environ, **spec.env, **self._nobody(), **asked},
            scribe=self.scribe,
            niceness=self.niceness,
            spares=self.spares if base is None else 0,  # they take memory, and forking is fast
        )
        self._starting.add(snapshot)
        try:
            await (snapshot.start() if base is None else snapshot.start_from(base))
            if self.prepare is not None:
                await self._prepare(snapshot)
        finally:
            self._starting.discard(snapshot)
        return snapshot

    async def _prepare(self, snapshot: Snapshot) -> None:
        try:
            await self.prepare(snapshot)
        except Exception:
            self.log.exception("The page of a snapshot could not be drawn ahead.")

    def _nobody(self) -> dict[str, str]:
        base = getattr(self.parent, "base_url", "/")
        server = getattr(self.parent, "server_url", None) or base
        known = {"SCRIPT_NAME": base, "VOILA_BASE_URL": base, "VOILA_SERVER_URL": server}
        return {**NOBODY, **known, **self.reduce({})}

    def _specification(self, notebook: nbformat.NotebookNode) -> KernelSpec:
        name = notebook.metadata.get("kernelspec", {}).get("name", "python3")
        manager = getattr(self.parent, "kernel_spec_manager", None) or KernelSpecManager()
        try:
            return manager.get_kernel_spec(name)
        except NoSuchKernel:  # Voilà then uses a kernel of the same language
            return manager.get_kernel_spec("python3")


def _suits(snapshot: Snapshot, asked: Mapping[str, str]) -> bool:
    return all(
        asked[name] == snapshot.environment.get(name, "")
        for name in snapshot.read.intersection(asked)
    )


def _reduced(query: str, queries: list[str]) -> str:
    """The one of `queries` that is part of `query`; if several are, the first in it; else ""."""
    parts = parse_qsl(query)
    found = [(parse_qsl(one), one) for one in queries]
    held = [(parts.index(own[0]), one) for own, one in found if own and set(own) <= set(parts)]
    return min(held)[1] if held else ""


def _python(spec: KernelSpec) -> str:
    """The interpreter of an ipykernel. Raises `SnapshotError` for any other kernel."""
    own = spec.metadata.get("kernel_provisioner", {}).get("provisioner_name", PROVISIONER)
    if own != PROVISIONER:
        raise SnapshotError(f"the kernel {spec.display_name!r} is started by {own!r}")
    if "ipykernel_launcher" not in spec.argv:
        raise SnapshotError(f"the kernel {spec.display_name!r} is not Python's own")
    python = str(spec.argv[0])
    return sys.executable if python in ("python", "python3") else python
