"""Check which picture sources answer: each is asked for one picture, all in parallel."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from kezako.doctor.finding import Finding
from kezako.doctor.packages import install
from kezako.errors import KezakoError
from kezako.recipe import SOURCES

QUERY = "teddy bear"
SECONDS = 5.0  # for one response
ALTOGETHER = 20.0  # seconds; a source may ask several sites, one after the other
ADVICE = {
    "limited": "It answers too many requests now; the next source takes over. Try again later.",
    "refused": "It refuses this network or this program; the next source takes over.",
    "broken": "See whether this machine reaches the web (HTTPS_PROXY or KEZAKO_PROXY, KEZAKO_CA); "
    "pictures that you have need none: kezako gather NAME --from FOLDER.",
    "empty": "It answers, but finds nothing; try another search, or another source.",
}


def sources(offline: bool) -> Iterator[Finding]:
    """A line for each source that a recipe can use over the network."""
    try:
        names = _names()
    except ImportError as error:
        found = f"cannot be asked, since {error.name} is missing"
        yield Finding("--", "sources", found, install("train"))
        return
    except ValueError as error:  # KEZAKO_SOURCES
        yield Finding("--", "sources", str(error))
        return
    if offline:
        yield Finding("--", "sources", f"with --offline not asked: {', '.join(names)}")
        return
    yield from _asked(names)


def _names() -> list[str]:
    """The built-in sources in a recipe's default order, then user-defined ones."""
    from kezako.gather.sources import known_sources

    by_hand = {"urls", "folder", "zip"}
    return [*SOURCES, *(name for name in known_sources() if name not in {*SOURCES, *by_hand})]


def _asked(names: Sequence[str]) -> Iterator[Finding]:
    answers: queue.SimpleQueue[Finding] = queue.SimpleQueue()
    for name in names:
        # A daemon thread: a site that keeps its connection open must not keep the command running.
        threading.Thread(target=lambda n: answers.put(_ask(n)), args=[name], daemon=True).start()
    end = time.monotonic() + ALTOGETHER
    found: dict[str, Finding] = {}
    while len(found) < len(names):
        try:
            one = answers.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
        found[one.what] = one
    late = f"no answer within {ALTOGETHER:.0f} seconds"
    for name in names:
        yield found.get(name) or Finding("--", name, late, ADVICE["broken"])


def _ask(name: str) -> Finding:
    from kezako.gather.settings import Settings
    from kezako.gather.sources import SourceStopped, open_source

    def impatient(sentence: str) -> None:
        raise SourceStopped("limited", sentence)  # stop instead of waiting for the rate limit

    began = time.monotonic()
    try:
        settings = replace(Settings.from_environment(), timeout=SECONDS, say=impatient)
        first = next(iter(open_source(name, settings).search(QUERY, 1)), None)
    except SourceStopped as stopped:
        return Finding("--", name, str(stopped), ADVICE[stopped.kind])
    except KezakoError as error:  # a setting
        return Finding("--", name, str(error))
    except ImportError as error:
        return Finding("--", name, f"needs {error.name}, which is missing", install("train"))
    except Exception as error:  # a user-defined source may fail in any way
        return Finding("--", name, f"{type(error).__name__}: {error}")
    if first is None:
        return Finding("--", name, "found nothing", ADVICE["empty"])
    return Finding("ok", name, f"answers ({time.monotonic() - began:.1f} s)")
