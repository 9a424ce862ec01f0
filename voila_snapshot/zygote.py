"""The zygote: a process that runs a notebook once and forks a kernel for each visitor.

`voila_snapshot.snapshot` starts it with one end of a socket. Over this socket it receives the
cells, and then, for each fork, one byte and a file descriptor: the fork's lifeline. Over the
lifeline, the fork reports its ports and waits for its visitor; when the lifeline closes, the
server is gone and the fork exits. Its stdout and stderr go to the lifeline, too.

With another byte, the fork becomes a zygote itself, with the descriptor as its socket: it receives
cells and variables, and runs the notebook again. So it shares libraries with the first.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import random
import selectors
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from tornado.ioloop import IOLoop

from voila_snapshot import ipc, recording
from voila_snapshot.kernel import ForkableApp

_REHEARSAL = 30.0  # seconds that the first fork may take to answer
_QUIET = 0.5  # seconds without a message after which a kernel returns memory
_PR_SET_PDEATHSIG = 1  # from Linux's prctl.h
_LAST_RESORT = 500  # of 1000: when memory runs out, kill a visitor's kernel before the server


class Zygote:
    """Runs the cells, then forks kernels until the server disconnects and the last kernel ends."""

    def __init__(self, server: socket.socket):
        self._server = server
        self._kernels: set[int] = set()  # process ids

    def run(self) -> None:
        order = ipc.receive(self._server)
        self._niceness = order["niceness"]
        self._app = ForkableApp.instance()
        self._app.initialize()
        sys.modules.pop("debugpy", None)  # from here on, the notebook may import it
        report = self._run_cells(order["cells"])
        if "trouble" not in report:
            report.update(_forkable() or self._rehearse())
        self._report(report)

    def _report(self, report: ipc.Message) -> None:
        """Say how the notebook ran; if it ran, fork until the server disconnects."""
        ipc.send(self._server, report)
        if "trouble" not in report:
            gc.collect()
            gc.freeze()  # a collection in a fork would copy every memory page that it touches
            _give_memory_back()
            self._serve()

    def _run_cells(self, cells: list[dict[str, Any]]) -> ipc.Message:
        names = recording.watch_environment()
        outputs = []
        for number, cell in enumerate(cells, 1):
            output, trouble = self._app.run(cell["source"])
            if trouble and not cell["may_fail"]:
                return {"trouble": f"cell {number} fails with {trouble}"}
            outputs.append(output)
        recording.unwatch_environment()
        self._app.kernel.known = [
            (cell["source"], output) for cell, output in zip(cells, outputs, strict=True)
        ]
        return {"outputs": outputs, "read": sorted(names), "state": _widget_state()}

    def _rehearse(self) -> ipc.Message:
        """Import what a kernel imports after it wakes up, so that no fork has to.

        Returns {"trouble": reason} if a fork does not work.
        """
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if not pid:
            with _to_the_end():
                ours.close()
                self._app.wake()
                self._app.rehearse(lambda: ipc.send(theirs, {"modules": list(sys.modules)}))
        theirs.close()
        ours.settimeout(_REHEARSAL)
        try:
            names = ipc.receive(ours)["modules"]
        except (EOFError, OSError):
            return {"trouble": "a copy of it does not live; the log above says why"}
        finally:
            ours.close()
            os.kill(pid, signal.SIGKILL)  # not reaped yet, so the id is still its own
            os.waitpid(pid, 0)
        for name in names:
            if name not in sys.modules:
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
        return {}

    def _serve(self) -> None:
        waking, woken = socket.socketpair()
        for end in (waking, woken):
            end.setblocking(False)
        # Without a handler, nothing is written to the wakeup fd.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waking.fileno())
        self._inherited = (self._server, waking, woken)
        with selectors.DefaultSelector() as selector:
            selector.register(self._server, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            hung_up = False
            while not hung_up or self._kernels:
                for key, _ in selector.select():
                    if key.fileobj is woken:
                        with contextlib.suppress(BlockingIOError):
                            woken.recv(4096)
                    elif not self._answer(selector):
                        selector.unregister(self._server)
                        hung_up = True
                self._reap()

    def _answer(self, selector: selectors.BaseSelector) -> bool:
        """Fork for the next request. False if the server has disconnected."""
        try:
            wish, lifelines, _, _ = socket.recv_fds(self._server, 1, 1)
        except OSError:
            return False
        if not wish:
            return False
        with socket.socket(fileno=lifelines[0]) as lifeline:
            try:
                pid = os.fork()
            except OSError:  # no memory, or too many processes: the server sees the lifeline close
                traceback.print_exc(file=sys.__stderr__)
                return True
            if pid:
                self._kernels.add(pid)
                return True
            with _to_the_end():
                selector.close()
                self._detach()
                if wish == ipc.AGAIN:
                    self._run_again(lifeline)
                else:
                    self._become_a_kernel(lifeline)
        return True

    def _reap(self) -> None:
        for pid in list(self._kernels):
            # Its process group id cannot be reused before its leader is reaped.
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                with contextlib.suppress(OSError):
                    os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                self._kernels.discard(pid)

    def _detach(self) -> None:
        """In a fork: give up what belongs to the zygote."""
        zygote = os.getppid()
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end in self._inherited:
            end.close()
        end_with_parent(zygote)

    def _run_again(self, server: socket.socket) -> None:
        """In a fork: run the notebook with other variables, and fork kernels from that."""
        self._server, self._kernels = server, set()
        ipc.send(server, {"pid": os.getpid()})
        order = ipc.receive(server)
        _set_environment(order)
        self._app.forget()
        report = self._run_cells(order["cells"])
        if "trouble" not in report:
            report.update(_forkable())
        self._report(report)

    def _become_a_kernel(self, lifeline: socket.socket) -> None:
        os.nice(self._niceness)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(_LAST_RESORT))
        ipc.send(lifeline, {"pid": os.getpid(), "ports": self._app.wake()})
        for descriptor in (1, 2):  # the server then knows which kernel wrote it, and how much
            os.dup2(lifeline.fileno(), descriptor)
        visitor = ipc.receive(lifeline)
        _welcome(visitor)
        self._app.live(visitor["key"].encode(), lifeline.fileno(), _Tidying())


class _Tidying:
    """Returns memory after the visitor has been idle for a while; called after each message."""

    _later: Any = None

    def __call__(self) -> None:
        loop = IOLoop.current()
        if self._later is not None:
            loop.remove_timeout(self._later)
        self._later = loop.call_later(_QUIET, self._tidy)

    def _tidy(self) -> None:
        self._later = None
        gc.collect()
        _give_memory_back()


def _welcome(visitor: ipc.Message) -> None:
    """Prepare this process for its visitor: environment, working directory, random seeds."""
    _set_environment(visitor)
    if visitor["folder"]:
        os.chdir(visitor["folder"])
    random.seed()
    for module in ("numpy.random", "torch"):  # only if the notebook has imported them
        if seed := getattr(sys.modules.get(module), "seed", None):
            seed()


def _set_environment(message: ipc.Message) -> None:
    for name in message["unset"]:
        os.environ.pop(name, None)
    os.environ.update(message["set"])


def _widget_state() -> dict[str, Any]:
    """The state of all widgets by model id; empty without ipywidgets."""
    widgets = sys.modules.get("ipywidgets")
    return widgets.Widget.get_manager_state()["state"] if widgets else {}


def _forkable() -> ipc.Message:
    """{"trouble": reason} if there are other threads, which a fork would lack; else {}."""
    threads = [thread.name for thread in threading.enumerate()][1:]
    with contextlib.suppress(OSError):
        threads += ["of a library"] * (len(os.listdir("/proc/self/task")) - 1 - len(threads))
    if threads:
        return {
            "trouble": f"the notebook left a thread running ({threads[0]}); forked kernels "
            "would not have it"
        }
    return {}


@contextlib.contextmanager
def _to_the_end() -> Any:
    """In a fork: exit at the end of the block, whatever happens, and never return from it."""
    try:
        yield
    except (EOFError, OSError):  # the server is gone
        os._exit(0)
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
        os._exit(1)
    os._exit(0)


def end_with_parent(parent: int) -> None:
    """Get killed when the process `parent` ends (Linux); elsewhere, closed sockets tell."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before
        os._exit(0)


def _give_memory_back() -> None:
    with contextlib.suppress(AttributeError, OSError):  # only glibc has it, and needs it
        ctypes.CDLL(None).malloc_trim(0)


def main() -> None:
    """Started by `snapshot.START`, with a socket's file descriptor and the parent's process id."""
    descriptor, parent = map(int, sys.argv[1:])
    sys.argv[:] = ["ipykernel_launcher"]  # what a notebook sees in any kernel
    end_with_parent(parent)
    Zygote(socket.socket(fileno=descriptor)).run()
