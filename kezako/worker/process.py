"""The process that decodes strangers' pictures and asks the model, for the program beside it.

A decoder that crashes, hangs or takes all memory then ends this process, and no visitor's page, no
replica and no run over a million pictures. `predictor.py` starts it. It answers one question after
another until its input closes.
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

HELD = 4  # classifiers open at once, about 60 MB each
SETTLING = 5.0  # s that files may be on their way before it is said that they do not open
MEMORY = 4 * 2**30  # bytes of address space: ten times what the largest accepted picture needs
THREADS = 4  # at most, for one picture; more gain nothing on models of this size

CLOSED = "No classifier can be opened here; the server's log says why."
SLOW = "This picture takes too long to classify here. Please send a smaller copy."
NO_NUMBERS = "The classifier has no answer to this picture. Please send another one."


@dataclass
class Opened:
    """A classifier in use, and the files it was opened from or last failed to open from."""

    classifier: Classifier
    stamp: tuple[object, ...]
    trouble: str = ""  # why the files as they are now do not open
    since: float = 0.0  # of a clock that only goes forward


class ModelCache:
    """The open classifiers; one whose files changed on disk is exchanged at the next question."""

    def __init__(
        self,
        models: Path,
        threads: int = 0,  # for one question; 0: as many as there are cores, up to THREADS
    ):
        self._models = models
        self._held: OrderedDict[str, Opened] = OrderedDict()
        self._threads = threads or min(THREADS, cores())

    def first_of(self, names: Sequence[str]) -> tuple[str, Classifier]:
        """The first classifier of `names` that opens. Raises `BundleError`."""
        reasons = []
        for name in names:
            try:
                return name, self.get(name)
            except BundleError as error:
                _log(error)
                reasons.append(str(error))
        raise BundleError(" ".join(reasons))

    def get(self, name: str) -> Classifier:
        """The classifier `name`, as its files are now. Raises `BundleError`.

        Files that cannot be opened leave the classifier that was opened before in use.
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
    """What the API says of one picture; `refused` or `failed` where there is no answer.

    One at a time: on one thread, batches of 2 to 32 take no less time a picture.
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
    """Answer until `questions` ends; the first message says that the libraries are loaded."""
    write_answer(replies, {"ready": True})
    while asked := read_question(questions):
        question, pictures = asked
        outcomes = [answer(cache, question["names"], picture) for picture in pictures]
        write_answer(replies, {"outcomes": outcomes})


def stamp_of(folder: Path) -> tuple[object, ...]:
    """Changes whenever a file that a classifier is opened from does."""
    stamps: list[object] = []
    for name in (CARD, MODEL, HEAD, KNOWN):
        with suppress(OSError):
            status = (folder / name).stat()
            stamps.append((name, status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(stamps)


def cores() -> int:
    """That this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not tell
        return os.cpu_count() or 1


def _log(text: object) -> None:
    print(f"kezako: {text}", file=sys.stderr, flush=True)


def _confine() -> None:
    """Bounds for this process, and a sign to the system that it is the first to end."""
    with suppress(OSError):  # Linux: where memory ends, this process does before the page
        Path("/proc/self/oom_score_adj").write_text("800")
    try:
        import resource
    except ImportError:  # Windows has no limits of this kind; the cap on pixels still holds
        return
    for name, value in {"RLIMIT_AS": MEMORY, "RLIMIT_CORE": 0}.items():
        with suppress(ValueError, OSError):  # macOS knows RLIMIT_AS and refuses it
            resource.setrlimit(getattr(resource, name), (value, value))


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the server's, which then ends this
    _confine()
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a decoder that prints must not garble the answers
    models, threads = sys.argv[1:3]
    serve(ModelCache(Path(models), int(threads)), sys.stdin.buffer, replies)
    os._exit(0)  # ONNX Runtime's threads need no tidying up
