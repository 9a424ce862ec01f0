"""For each class: ask the sources, fetch the URLs, check the pictures, until there are enough.

Results are used in the order in which the sources gave them, and all URLs of a search are
written in one transaction. So a gathering that was killed at any point and run again ends with
the same rows and pictures as one that was not killed.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from itertools import islice, zip_longest

from kezako.dataset.row import Row
from kezako.gather.archive import read_or_reject
from kezako.gather.check import OWN_SIDE, Checked, Reject
from kezako.gather.check_pool import Checkers
from kezako.gather.fetch import Fetcher, ProxyTrouble
from kezako.gather.ordered import ordered_map
from kezako.gather.progress import Bar
from kezako.gather.session import Session
from kezako.gather.settings import Settings
from kezako.gather.sources import Found, Source, SourceStopped, open_source
from kezako.gather.sources.local import Readable

OVER_ASK = 1.4  # URLs to ask for per picture wanted: three in ten fail or are duplicates
DEPTHS = (1, 2, 4)  # a source is asked for 1, 2 and 4 times as much before the next one
AHEAD = 512  # pictures in flight: a slow one must not hold up those behind it


async def gather_web(session: Session, sources: Sequence[str], settings: Settings) -> None:
    """Fill every class up to the recipe's number. Raises `KezakoError` for an unknown source."""
    for name in sources:
        open_source(name, settings)  # a wrong name must fail before anything is gathered
    recipe = session.recipe
    settings = replace(
        settings,
        recipe=recipe,
        licence=recipe.licence,
        photos_only=recipe.photos_only,
        safe=recipe.safe,
    )
    session.deduplicator.reconsider(recipe.min_side)
    kept = Counter(row.folder for row in session.manifest.kept())
    wanting = {
        folder: queries
        for folder, queries in recipe.folders.items()
        if kept[folder] < recipe.pictures_per_class
    }
    if not wanting or not sources:
        return
    shared = _Sources(session, settings, list(sources))
    async with Checkers() as checkers, Fetcher(settings, recipe.respect_noai) as fetcher:
        for folder, queries in wanting.items():
            await _Class(shared, folder, queries, fetcher, checkers).fill()


class _Sources:
    """What the classes of one run share: the sources that still answer, and the notes."""

    def __init__(self, session: Session, settings: Settings, names: list[str]):
        self.session, self.settings, self.names = session, settings, names
        self.asked = tuple(names)  # including those that were dropped
        self._introduced: set[str] = set()
        if settings.proxies and not settings.allow_private:
            self.say("Names are resolved by the proxy, which has to keep private addresses apart.")

    def say(self, sentence: str) -> None:
        if sentence not in self.session.notes:
            self.session.notes.append(sentence)
            self.settings.say(sentence)

    def introduce(self, source: Source) -> None:
        wishes = {
            "licence": self.settings.licence == "free",
            "photo only": self.settings.photos_only,
            "safe search": self.settings.safe,
        }
        unmet = [what for what in source.cannot_filter if wishes.get(what)]
        if source.name not in self._introduced and unmet:
            self._introduced.add(source.name)
            self.say(f"{source.name} cannot filter by {' or '.join(unmet)}.")

    def drop(self, name: str) -> None:
        """Stop asking a source: a rate limit or refusal applies to the other classes, too."""
        if name in self.names:
            self.names.remove(name)


class _Class:
    def __init__(
        self,
        shared: _Sources,
        folder: str,
        queries: tuple[str, ...],
        fetcher: Fetcher,
        checkers: Checkers,
    ):
        self._shared, self._folder, self._queries = shared, folder, queries
        self._fetcher, self._checkers = fetcher, checkers
        self._manifest = shared.session.manifest
        self._wanted = shared.session.recipe.pictures_per_class
        self._kept = len(self._manifest.rows(folder=folder, status="kept"))

    async def fill(self) -> None:
        with Bar(self._folder, self._wanted, self._kept, only_kept=True) as bar:
            await self._use_pending(bar)
            for name in list(self._shared.names):
                if self._kept >= self._wanted:
                    return
                await self._ask(name, bar)
        if self._kept < self._wanted:
            self._shared.say(
                f"{self._folder}: {self._kept} of {self._wanted} pictures, and no source has more. "
                "Add queries or sources to the recipe, or pictures by hand."
            )

    async def _ask(self, name: str, bar: Bar) -> None:
        settings = self._shared.settings.within(self._manifest.folder, self._folder)
        source = open_source(name, settings)
        self._shared.introduce(source)
        share = math.ceil(self._wanted * OVER_ASK / len(self._queries))
        for depth in DEPTHS:
            if self._kept >= self._wanted:
                return
            search = _Search(source, share * depth)
            found = await asyncio.to_thread(search.all, self._queries)
            self._manifest.add_all(
                Row(
                    folder=self._folder,
                    url=each.url,
                    source=name,
                    query=query,
                    page=each.page,
                    title=each.title,
                    licence=each.licence,
                    creator=each.creator,
                )
                for query, each in found
            )
            await self._use_pending(bar)
            if search.stopped and self._kept < self._wanted:
                self._shared.say(str(search.stopped))
            if search.stopped and search.stopped.kind in ("limited", "refused"):
                self._shared.drop(name)
            if search.dry:
                return

    async def _use_pending(self, bar: Bar) -> None:
        if self._kept >= self._wanted:
            return
        readers = self._readers()
        rows = self._manifest.pending(self._folder)
        check = partial(self._checkers.check, least=self._shared.session.recipe.min_side)

        async def get(row: Row) -> Checked | Reject:
            try:
                if reader := readers.get(str(row.source)):
                    return await reader.get(str(row.url), self._checkers)
                return await self._fetcher.fetch(str(row.url), check)
            except ProxyTrouble:
                raise
            except Exception as error:  # otherwise this row would stop every later run, too
                return Reject("broken", f"failed: {type(error).__name__}: {error}"[:200])

        async with aclosing(ordered_map(rows, get, self._ahead)) as results:
            async for row, outcome in results:
                self._shared.session.deduplicator.ingest(row, outcome)
                bar.count(row)
                self._kept += row.status == "kept"
                if self._kept >= self._wanted:
                    return

    def _ahead(self) -> int:
        # Near the end, fetch only a few more than needed; the rest stays pending.
        return min(AHEAD, math.ceil((self._wanted - self._kept) * OVER_ASK))

    def _readers(self) -> dict[str, _Reader]:
        settings = self._shared.settings.within(self._manifest.folder, self._folder)
        sources = (open_source(name, settings) for name in self._shared.asked)
        return {each.name: _Reader(each) for each in sources if isinstance(each, Readable)}


class _Reader:
    """A source that has the bytes itself; it reads one at a time, as an archive is one file."""

    def __init__(self, source: Readable):
        self._source = source
        self._turn = asyncio.Lock()

    async def get(self, url: str, checkers: Checkers) -> Checked | Reject:
        async with self._turn:
            outcome = await asyncio.to_thread(read_or_reject, self._source.read, url)
        return outcome if isinstance(outcome, Reject) else await checkers.check(outcome, OWN_SIDE)


class _Search:
    """One source, asked all queries of a class."""

    def __init__(self, source: Source, limit: int):
        self._source, self._limit = source, limit  # limit: URLs per query
        self.stopped: SourceStopped | None = None
        self.dry = True  # no query has more results

    def all(self, queries: tuple[str, ...]) -> list[tuple[str, Found]]:
        """(query, result) pairs; the best result of each query comes first."""
        columns = []
        for query in queries:
            found = list(self._one(query))
            self.dry = self.dry and len(found) < self._limit
            columns.append([(query, each) for each in found])
            if self.stopped and self.stopped.kind != "empty":
                self.dry = True
                break
        return [each for rank in zip_longest(*columns) for each in rank if each is not None]

    def _one(self, query: str) -> Iterator[Found]:
        name = self._source.name
        try:
            for each in islice(self._source.search(query, self._limit), self._limit):
                if not isinstance(each, Found):
                    raise TypeError(f"{each!r} is no Found")
                yield each
        except SourceStopped as stopped:
            self.stopped = stopped
        except Exception as error:  # a user-defined source, or a library that changed
            self.stopped = SourceStopped("broken", f"{name} broke on {query!r}: {error!r}.")
