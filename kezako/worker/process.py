"""The worker process: decodes untrusted pictures and runs the model.

A decoder that crashes, hangs or uses up memory then only ends this process, and not a visitor's
page, a replica or a run over a million pictures. `client.py` starts it. It answers requests until
its input closes.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kezako.model.bundle import CARD, HEAD, KNOWN, MODEL, BundleError
from kezako.model.classifier import Classifier, NotAPicture, TookTooLong
from kezako.model.wording import sentence
from kezako.worker.protocol import Outcome, read_question, write_answer

HELD = 4  # open classifiers, about 60 MB each
SETTLING = 5.0  # seconds; a bundle may be incomplete for so long before that is logged
MEMORY = 4 * 2**30  # bytes of address space: ten times what the largest accepted picture needs
THREADS = 4  # at most, for one picture; more do not help with models of this size

CLOSED = "No classifier can be opened here; the server's log says why."
SLOW = "This picture takes too long to classify here. Please send a smaller copy."
NO_NUMBERS = "The classifier has no answer to this picture. Please send another one."


@dataclass
class Opened:
    """A classifier in use, and the files that it was opened from or last failed to open from."""

    classifier: Classifier
    stamp: tuple[object, ...]  # of `stamp_of`
    trouble: str = ""  # why the current files cannot be opened
    since: float = 0.0  # `time.monotonic` of the trouble


class ModelCache:
    """Open classifiers; if a bundle's files have changed, the next request opens it again."""

    def __init__(
        self,
        models: Path,
        threads: int = 0,  # for one request; 0: one per core, up to THREADS
    ):
        self._models = models
        self._held: OrderedDict[str, Opened] = OrderedDict()
        self._threads = threads or min(THREADS, cores())

    def first_of(self, names: Sequence[str]) -> tuple[str, Classifier]:
        """The first classifier of `names` that can be opened. Raises `BundleError`."""
        reasons = []
        for name in names:
            try:
                return name, self.get(name)
            except BundleError as error:
                _log(error)
                reasons.append(str(error))
        raise BundleError(" ".join(reasons))

    def get(self, name: str) -> Classifier:
        """The classifier `name`, from its current files. Raises `BundleError`.

        If the current files cannot be opened, the classifier that was opened before stays in use.
        """
        folder = self._models / name
        stamp = stamp_of(folder)
        held = self._held.get(name)
        if held is None or held.stamp != stamp:
            held = self._exchange(name, folder, held)
        if held.trouble and time.monotonic() - held.since > SETTLING:
            _log(f"{held.trouble} The one that was opened before goes on answering.")
            held.trouble = ""
        self._held.move_to_end(name)
        return held.classifier

    def _exchange(self, name: str, folder: Path, held: Opened | None) -> Opened:
        stamp = stamp_of(folder)
        try:
            opened = Opened(Classifier.open(folder, self._threads), stamp)
        except BundleError as error:
            if held is None:
                raise
            held.stamp, held.trouble, held.since = stamp, str(error), time.monotonic()
            return held
        self._held[name] = opened
        while len(self._held) > HELD:
            self._held.popitem(last=False)
        return opened


def answer(cache: ModelCache, names: Sequence[str], picture: bytes) -> Outcome:
    """The API's answer for one picture; `refused` or `failed` if there is none.

    Pictures are classified one at a time: on one thread, batches of 2 to 32 are no faster.
    """
    try:
        name, classifier = cache.first_of(names)
    except BundleError as error:
        return {"failed": CLOSED, "why": str(error)}
    start = time.perf_counter()
    try:
        found = classifier.predict(picture)
    except NotAPicture as error:
        return {"refused": str(error)}
    except TookTooLong:
        return {"refused": SLOW}
    if not all(math.isfinite(value) for value in found.probabilities.values()):
        return {"refused": NO_NUMBERS}
    return {
        "label": found.label,
        "labels": list(found.labels),
        "probabilities": dict(found.probabilities),
        "known": found.known,
        "sentence": sentence(classifier.card, found),
        "model": {"name": name, "version": classifier.card.files[MODEL]},
        "milliseconds": round(1000 * (time.perf_counter() - start), 2),
    }


def serve(cache: ModelCache, questions: IO[bytes], replies: IO[bytes]) -> None:
    """Answer requests until `questions` ends; the first message says that all is loaded."""
    write_answer(replies, {"ready": True})
    while asked := read_question(questions):
        question, pictures = asked
        outcomes = [answer(cache, question["names"], picture) for picture in pictures]
        write_answer(replies, {"outcomes": outcomes})


def stamp_of(folder: Path) -> tuple[object, ...]:
    """A value that changes whenever a file of the classifier changes."""
    stamps: list[object] = []
    for name in (CARD, MODEL, HEAD, KNOWN):
        with suppress(OSError):
            status = (folder / name).stat()
            stamps.append((name, status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(stamps)


def cores() -> int:
    """Number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not have it
        return os.cpu_count() or 1


def _log(text: object) -> None:
    print(f"kezako: {text}", file=sys.stderr, flush=True)


def _confine() -> None:
    """Limit this process's memory, and let the OOM killer end it first."""
    with suppress(OSError):  # Linux: when memory runs out, kill this process before the page
        Path("/proc/self/oom_score_adj").write_text("800")
    try:
        import resource
    except ImportError:  # Windows has no such limits; the cap on pixels still applies
        return
    for name, value in {"RLIMIT_AS": MEMORY, "RLIMIT_CORE": 0}.items():
        with suppress(ValueError, OSError):  # macOS has RLIMIT_AS but refuses to set it
            resource.setrlimit(getattr(resource, name), (value, value))


def main() -> None:
    # Ctrl+C is handled by the server, which then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _confine()
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that a decoder that prints cannot corrupt the answers
    models, threads = sys.argv[1:3]
    serve(ModelCache(Path(models), int(threads)), sys.stdin.buffer, replies)
    os._exit(0)  # skip the clean-up of ONNX Runtime's threads
