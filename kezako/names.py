"""Compare and show names that come from outside."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

_APART = re.compile(r"[\s_-]+")  # separators between words in folder names
# Joiners hold emoji together and shape Persian and Indic words; other invisible characters are not
# needed.
_JOINERS = "\u200c\u200d"
# Control characters, invisible ones (some reverse the text), surrogates, line separators.
_UNSHOWN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def spelling(name: str) -> str:
    """A key that is equal for all spellings of a name: "Snow_Leopard", "snow-leopard" and so on.

    Case, the Unicode form (macOS decomposes "ä"), and separators between words are ignored.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(_APART.split(folded)).strip() or folded


def as_shown(name: object) -> str:
    """`name` as one line of text in composed form (NFC), from any source.

    Control characters, invisible or text-reversing characters, and bytes that are not UTF-8 (in
    file names on Linux) are written as escapes: "\\x1b", "\\u202e", "\\xe4".
    """
    text = unicodedata.normalize("NFC", str(name))
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence, after a space, that suggests the most similar of the `known`; or ""."""
    found = most_similar(name.casefold(), known)
    return f" Did you mean {found}?" if found else ""


def most_similar(name: str, known: Iterable[str]) -> str | None:
    """The one of the `known` that `name` may be a misspelling of; None if none is close."""
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=0.5)), None)


def _shown(sign: str) -> str:
    if sign in _JOINERS or unicodedata.category(sign) not in _UNSHOWN:
        return sign
    if "\udc80" <= sign <= "\udcff":  # surrogateescape: a byte that is not UTF-8
        return f"\\x{ord(sign) - 0xDC00:02x}"
    return sign.encode("unicode_escape").decode()
