"""Fork kernels from a process that has run the notebook, for any Voilà notebook.

A visitor's kernel then starts in milliseconds with everything loaded, and shares the memory of
libraries and models with all others. Nothing here depends on what the notebook does. There are
three ways to use it:

- call `configure(server)` for a subclass of Voilà's application; with `voila_snapshot.pages`, pages
  are rendered once and need no kernel for that;
- use plain Voilà with an environment variable:
  `JUPYTER_DEFAULT_PROVISIONER_NAME=snapshot-provisioner voila notebook.ipynb`;
- or use a kernel specification with the metadata
  `{"kernel_provisioner": {"provisioner_name": "snapshot-provisioner"}}`.

With plain Voilà, the kernel answers the notebook's cells with their stored outputs. The settings
are those of `Snapshots` (`--Snapshots.spares=2`). Only kernels that Voilà starts for a visitor are
forked. If forking is not possible, kernels are started in the ordinary way and the log says why:
a system other than Linux and macOS, a kernel that is not Python's, a notebook that fails or leaves
threads running.

A notebook can see few differences: it ran before its visitor came, so what it says about the
visitor (`QUERY_STRING`) may be wrong unless `Snapshots.queries` lists it; connections and open
files are shared with the kernels of other visitors; `atexit` handlers do not run, since forks exit
at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint
from pathlib import PurePosixPath
from typing import Any

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from tornado.ioloop import IOLoop
from voila.app import Voila

from voila_snapshot import pages
from voila_snapshot.fork import Fork, memory
from voila_snapshot.ipc import ADDRESS
from voila_snapshot.pool import PROVISIONER, Snapshots
from voila_snapshot.snapshot import Snapshot, SnapshotError, changes

_AT_ONCE = 1.0  # seconds that a fork may take to exit before it is killed


def configure(
    server: Voila,  # initialised, not yet started
    watched: Iterable[str] = (),  # see `Snapshots`
    queries: Callable[[], list[str]] | None = None,  # see `Snapshots`
) -> Snapshots:
    """Give every visitor of `server` a forked kernel; sets and returns `server.snapshots`.

    The notebook runs after the event loop has started, so that the port is bound first. A kernel
    that dies is not restarted: its page is told, since a new visit is better than a page without
    its widgets.
    """
    name = f"{__name__}:{SnapshotProvisioner.__name__}"
    group = KernelProvisionerFactory.GROUP_NAME
    # Also works if Kezako was installed before it had this entry point.
    KernelProvisionerFactory.provisioners[PROVISIONER] = EntryPoint(PROVISIONER, name, group)
    KernelProvisionerFactory.instance(parent=server).default_provisioner_name = PROVISIONER
    server.config.KernelRestarter.setdefault("restart_limit", 0)
    server.config.KernelRestarter.setdefault("time_to_dead", 1.0)
    server.snapshots = Snapshots(
        parent=server,
        watched=list(watched),
        queries=queries,
        prepare=lambda snapshot: pages.drawn(server, snapshot),
    )
    IOLoop.current().add_callback(server.snapshots.start)
    return server.snapshots


class SnapshotProvisioner(LocalProvisioner):
    """Forks a kernel from a snapshot if there is one; else starts an ordinary kernel."""

    forked = False
    process: Any = None  # a `Popen`, or a `Fork`
    parent: Any  # the kernel's manager
    _fork: Fork | None = None  # until it is launched

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Also accepts `forked`: a snapshot, and a kernel that was forked from it already."""
        environment = kwargs.get("env") or {}
        given = kwargs.pop("forked", None) or await self._forked(environment)
        if "SCRIPT_NAME" in environment:  # a visitor's kernel
            kwargs["env"] = self._snapshots().reduce(environment)
        self.forked = given is not None
        if given is None:
            return await super().pre_launch(**kwargs)
        self._snapshot: Snapshot
        self._snapshot, self._fork = given
        for name in ("extra_arguments", "transport_encryption"):
            kwargs.pop(name, None)
        # Not LocalProvisioner's: a fork picks free ports when it starts to listen.
        return await KernelProvisionerBase.pre_launch(self, cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        if self._fork is None:
            return await self._launch(cmd, **kwargs)
        fork, self._fork = self._fork, None
        session = self.parent.session
        environment = {**kwargs["env"], "VOILA_KERNEL_ID": self.kernel_id}
        fork.welcome(_visitor(self._snapshot, environment, kwargs.get("cwd"), session.key))
        self.process, self.pid, self.pgid = fork, fork.pid, fork.pid
        self.cwd = kwargs.get("cwd") or os.getcwd()
        connection: Any = {
            **fork.ports,
            "ip": ADDRESS,
            "transport": "tcp",
            "key": session.key,
            "signature_scheme": session.signature_scheme,
        }
        self.connection_info = connection
        return self.connection_info

    async def _launch(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start an ordinary kernel whose output goes to a scribe, as that of forks."""
        heard, said = os.pipe()
        kwargs |= {"stdout": said, "stderr": said}
        try:
            launched = await super().launch_kernel(cmd, **kwargs)
        except BaseException:
            os.close(heard)
            raise
        finally:
            os.close(said)
        scribe = self._snapshots().scribe(f"Kernel {self.pid}")
        scribe.follow_beside(os.fdopen(heard, "rb"))
        return launched

    async def send_signal(self, signum: int) -> None:
        if self.forked and self.process:
            self.process.send_signal(signum)
        else:
            await super().send_signal(signum)

    def get_shutdown_wait_time(self, recommended: float = 5.0) -> float:
        return _AT_ONCE if self.forked else super().get_shutdown_wait_time(recommended)

    def memory(self) -> int | None:
        """Private memory of this kernel in bytes; None if it is unknown."""
        return memory(self.pid) if self.pid else None

    async def _forked(self, environment: dict[str, str]) -> tuple[Snapshot, Fork] | None:
        snapshot = await self._choose(environment)
        try:
            return None if snapshot is None else (snapshot, await snapshot.fork())
        except SnapshotError as error:
            self.log.warning("A kernel starts from nothing, because %s.", error)
            return None

    async def _choose(self, environment: dict[str, str]) -> Snapshot | None:
        snapshots = self._snapshots()
        page = PurePosixPath(environment.get("SCRIPT_NAME", ""))
        theirs = page.suffix == ".ipynb" and page.name != PurePosixPath(snapshots.notebook).name
        if "SCRIPT_NAME" not in environment or not snapshots.notebook or theirs:
            return None  # not for a visitor of this notebook
        return await snapshots.choose(environment)

    def _snapshots(self) -> Snapshots:
        kernels = self.parent.parent  # the manager of all kernels, if there is one
        server = getattr(kernels, "parent", None) or kernels or self.parent
        if not hasattr(server, "snapshots"):
            server.snapshots = Snapshots(parent=server)
        return server.snapshots


def _visitor(
    snapshot: Snapshot, environment: dict[str, str], folder: str | None, key: bytes
) -> dict[str, Any]:
    """The message that turns a fork into the visitor's kernel."""
    same = folder is None or os.path.realpath(folder) == os.path.realpath(snapshot.folder)
    return {
        **changes(snapshot.environment, environment),
        "key": key.decode(),
        "folder": "" if same else folder,
    }
