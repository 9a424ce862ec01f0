"""`urls`: URLs that you wrote into a text file per class, one per line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kezako.gather.settings import Settings
from kezako.gather.sources import Found, SourceStopped, offered, register

SHOWN = 3  # wrong lines that are reported one by one; the rest are counted


@register("urls")
class Urls:
    """Reads `data/NAME/urls/CLASS.txt`, or CLASS.txt in the folder that KEZAKO_URLS names."""

    name = "urls"
    cannot_filter: tuple[str, ...] = ("licence", "photo only")

    def __init__(self, settings: Settings):
        self.settings = settings

    @property
    def file(self) -> Path:
        """The list for the class being gathered."""
        here = self.settings.data or Path()
        return (self.settings.lists or here / "urls") / f"{self.settings.folder}.txt"

    def search(self, query: str, limit: int) -> Iterator[Found]:
        """At most `limit` of the URLs, whatever the query. Raises `SourceStopped`."""
        given, wrong = 0, 0
        for number, line in enumerate(self._lines(), 1):
            if not line or line.startswith("#"):
                continue
            found = offered(line)
            if found is None:
                wrong += 1
                if wrong <= SHOWN:
                    self.settings.say(
                        f"urls: line {number} of {self.file} is no http(s) address; left out"
                    )
                continue
            yield found
            given += 1
            if given >= limit:
                return
        more = f", {wrong} lines left out" if wrong else ""
        raise SourceStopped("empty", f"urls: {self.file} holds {given} addresses{more}.")

    def _lines(self) -> Iterator[str]:
        try:
            with self.file.open(encoding="utf-8-sig") as lines:
                for line in lines:
                    yield line.strip()
        except FileNotFoundError:
            raise SourceStopped(
                "empty", f"urls: there is no file {self.file}; write one address a line into it."
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise SourceStopped(
                "broken", f"urls: {self.file} cannot be read as UTF-8 text ({error})."
            ) from error
