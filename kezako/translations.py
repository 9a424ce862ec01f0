"""The maker's own words: what a page is called, asks and answers, also in other languages."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from kezako.names import most_similar

LONGEST = 300  # characters of one text
LABEL = "{label}"  # in an answer, the place of the class

# Code -> how people may write it instead. The page has its own sentences in each of these.
LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "en": ("english",),
    "de": ("german", "deutsch"),
    "fr": ("french", "français"),
    "es": ("spanish", "español"),
    "it": ("italian", "italiano"),
    "pt": ("portuguese", "português"),
    "nl": ("dutch", "nederlands"),
    "pl": ("polish", "polski"),
    "ja": ("japanese", "日本語"),
    "zh": ("chinese", "中文"),
}


@dataclass(frozen=True)
class Texts:
    """What a page says in one language."""

    title: str
    prompt: str
    answer: str  # with {label}


@dataclass(frozen=True)
class Translation:
    """A maker's translations into one language; what is empty stays as in the plain words."""

    title: str = ""
    prompt: str = ""
    answer: str = ""  # with {label}
    classes: Mapping[str, str] = field(default_factory=dict)  # label -> display name

    def over(self, plain: Texts) -> Texts:
        """These words, and the plain ones where there are none."""
        return Texts(
            self.title or plain.title, self.prompt or plain.prompt, self.answer or plain.answer
        )


def language_of(tag: str) -> str:
    """The language of a tag such as "de-AT": "de"."""
    return tag.replace("_", "-").partition("-")[0].casefold()


def nearest_language(text: str) -> str | None:
    """The code of the language that `text` may mean ("deutsch": "de"); None if none is close."""
    meant = {name: code for code, names in LANGUAGES.items() for name in (code, *names)}
    near = most_similar(text.casefold(), meant)
    return meant[near] if near else None


def is_line(value: object) -> bool:
    """Whether `value` is one line of plain text, of 1 to `LONGEST` characters."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST and _is_plain(value)


def is_answer(value: object) -> bool:
    """Whether `value` is such a line with {label} in it, and without any other braces."""
    if not isinstance(value, str) or not is_line(value) or LABEL not in value:
        return False
    return not {"{", "}"} & set(value.replace(LABEL, ""))


def alike(names: Mapping[str, str]) -> tuple[str, str] | None:
    """Two labels that would be shown by the same name, upper case aside; None if all differ."""
    seen: dict[str, str] = {}
    for label, name in names.items():
        if (other := seen.setdefault(name.casefold(), label)) != label:
            return other, label
    return None


def _is_plain(text: str) -> bool:
    return bool(text.strip()) and not any(unicodedata.category(sign)[0] == "C" for sign in text)
