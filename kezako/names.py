"""Names that come from elsewhere: how they are compared, and how they are shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

_APART = re.compile(r"[\s_-]+")  # what people put between the words of a folder's name
# Joiners hold emoji together and shape Persian and Indic words; no other invisible sign is needed.
_JOINERS = "\u200c\u200d"
# Control characters, invisible signs (some turn a line around), halves of a character, line ends.
_UNSHOWN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def spelling(name: str) -> str:
    """What all spellings of a name share: equal for "Snow_Leopard", "snow-leopard" and so on.

    Case, the form of Unicode (macOS decomposes "ä"), and what stands between words do not count.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(_APART.split(folded)).strip() or folded


def as_shown(name: object) -> str:
    """`name` as text on one line, in composed form (NFC), whoever made it.

    What a terminal would obey, what hides or turns text around, and bytes that are no UTF-8 (in
    file names on Linux) are written as escapes: "\\x1b", "\\u202e", "\\xe4".
    """
    text = unicodedata.normalize("NFC", str(name))
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def nearest(name: str, known: Iterable[str]) -> str:
    """The sentence, after a space, that asks whether another of the `known` was meant, or ""."""
    found = get_close_matches(name.casefold(), list(known), n=1, cutoff=0.5)
    return f" Did you mean {found[0]}?" if found else ""


def _shown(sign: str) -> str:
    if sign in _JOINERS or unicodedata.category(sign) not in _UNSHOWN:
        return sign
    if "\udc80" <= sign <= "\udcff":  # how Python holds a byte of a name that is no UTF-8
        return f"\\x{ord(sign) - 0xDC00:02x}"
    return sign.encode("unicode_escape").decode()
