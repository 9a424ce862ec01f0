"""The content of a bundle's `card.json`, and the checks of one that comes from outside."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from kezako.recipe import Task
from kezako.translations import (
    LABEL,
    LANGUAGES,
    Texts,
    Translation,
    is_answer,
    is_line,
    language_of,
)

FORMAT = 1
Precision = Literal["int8", "fp32"]
# How a picture is resized or cut: a recipe's ways, and those that only imported networks use.
Way = Literal[
    "random-crop", "crop", "squish", "pad", "pad-zeros", "pad-border",
    "center-crop", "center-crop-border", "center-crop-reflection",
]  # fmt: skip
MOST_WAYS = 4  # steps, one after the other
MOST_PIXELS = 2048  # a side, of a picture between two steps
MOST_EXAMPLES = 6
LONGEST_ADDRESS = 2000  # characters of a link
EXAMPLES = "examples"  # the only folder in a bundle
_EXAMPLE = re.compile(EXAMPLES + r"/[0-9]{1,2}\.jpg")
_ADDRESS = re.compile(r"https?://[!#-;=?-~]+")
# Fields that older versions do not know; they are written only where they are set.
_OPTIONAL = ("names", "language", "words", "examples")


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the model's input; equal to fastai's validation transforms."""

    size: int  # pixels a side
    resize: Way
    mode: Literal["RGB", "L"] = "RGB"  # "L": grey, repeated over the three channels
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)  # ImageNet's, per channel of 0 to 1
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    before: tuple[tuple[Way, int], ...] = ()  # earlier steps, each with its output's side

    @property
    def ways(self) -> tuple[tuple[Way, int], ...]:
        """All steps in order, each with the pixels a side of its output."""
        return (*self.before, (self.resize, self.size))


@dataclass(frozen=True)
class Credit:
    """Who made an example, under which licence, as plain text."""

    text: str
    url: str = ""  # http or https; empty: none


@dataclass(frozen=True)
class Example:
    """A picture to try, which the page may show."""

    file: str  # in the bundle: "examples/1.jpg"
    label: str  # what it shows, and what the classifier answers
    credit: Credit | None = None  # None: the maker's own picture


@dataclass(frozen=True)
class Card:
    """The content of `card.json`; people and tests read `figures`, `training` and `libraries`."""

    name: str
    title: str
    prompt: str
    answer: str  # the page's sentence, with {label}
    labels: tuple[str, ...]  # in the order of the logits
    task: Task
    preprocessing: Preprocessing
    precision: Precision
    temperature: float  # divides the logits; already folded into export.pkl and model.onnx
    thresholds: Mapping[str, float]  # multi: label -> lowest probability at which it is named
    known: float | None  # greatest distance that still counts as one of the classes
    figures: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(
        default_factory=dict
    )  # label -> display name, where it differs
    language: str = ""  # of the page's own sentences; empty: the visitor's browser decides
    # language -> the maker's translations
    words: Mapping[str, Translation] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)  # file name -> sha256
    format: int = FORMAT

    def name_of(self, label: str, language: str = "") -> str:
        """What people read for a class, in a language ("de", "de-AT") if it has a name in that."""
        words = self.words.get(language_of(language))
        return (words.classes.get(label) if words else None) or self.names.get(label, label)

    def texts(self, language: str = "") -> Texts:
        """Title, prompt and answer, in a language as far as there are words in it."""
        plain = Texts(self.title, self.prompt, self.answer)
        words = self.words.get(language_of(language))
        return words.over(plain) if words else plain

    def to_json(self) -> str:
        values = asdict(self)
        if not self.preprocessing.before:  # older versions do not know this field
            del values["preprocessing"]["before"]
        for name in _OPTIONAL:
            if not values[name]:
                del values[name]
        for words in values.get("words", {}).values():
            for key in [key for key, said in words.items() if not said]:
                del words[key]
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def card_of(values: dict[str, Any]) -> Card:
    """A checked card from the JSON of its file, which is not trusted.

    Raises `KeyError`, `TypeError`, `ValueError` or `AttributeError` for what is none.
    """
    if values.get("format") != FORMAT:
        raise ValueError(f"its format is {values.get('format')!r}")
    known = {f.name for f in fields(Card)}
    values = {key: value for key, value in values.items() if key in known}
    values["preprocessing"] = _preprocessing(values["preprocessing"])
    labels = values["labels"] = tuple(str(label) for label in values["labels"])
    files = values["files"] = _files(values.get("files", {}))
    values |= words_of(values, labels)
    values["examples"] = _examples(values.get("examples", []), labels, files)
    card = Card(**values)
    if not card.labels or not 32 <= card.preprocessing.size <= 1024:
        raise ValueError("its labels or its picture size are out of range")
    ways = card.preprocessing.ways
    if not {way for way, _ in ways} <= set(get_args(Way)) or card.task not in get_args(Task):
        raise ValueError("its resize method or its task is unknown")
    if len(ways) > MOST_WAYS or not all(1 <= size <= MOST_PIXELS for _, size in ways):
        raise ValueError("what it does to pictures is out of range")
    if card.preprocessing.mode not in ("RGB", "L") or LABEL not in card.answer:
        raise ValueError("its picture mode or its answer is wrong")
    return card


def words_of(values: Mapping[str, Any], labels: tuple[str, ...]) -> dict[str, Any]:
    """The checked fields `names`, `language` and `words`. Raises `ValueError`.

    Languages that this version does not know are left out: a newer one may have written them.
    """
    language, words = values.get("language", ""), values.get("words", {})
    if not isinstance(language, str) or not isinstance(words, dict):
        raise ValueError("its languages are wrong")
    return {
        "names": _names(values.get("names", {}), labels),
        "language": language if language in LANGUAGES else "",
        "words": {tag: _words(words[tag], labels) for tag in LANGUAGES if tag in words},
    }


def words_as_json(card: Card) -> dict[str, Any]:
    """What `words_of` reads, all of it, for another program."""
    return {
        "names": dict(card.names),
        "language": card.language,
        "words": {tag: asdict(words) for tag, words in card.words.items()},
    }


def is_file_name(name: str) -> bool:
    """Whether `name` may be that of a file of a bundle: in its folder, or an example."""
    plain = not set(name) & set("/\\:\0") and name not in ("", ".", "..")
    return plain or bool(_EXAMPLE.fullmatch(name))


def _preprocessing(values: Mapping[str, Any]) -> Preprocessing:
    found = dict(values)
    for key in ("mean", "std"):
        found[key] = tuple(float(value) for value in found[key])
    found["before"] = tuple((str(way), int(size)) for way, size in found.get("before", ()))
    return Preprocessing(**found)


def _files(values: Any) -> dict[str, str]:
    """The checksums; names that lead out of the bundle are left out, and so never opened."""
    if not isinstance(values, dict):
        raise ValueError("its list of files is wrong")
    return {name: str(digest) for name, digest in values.items() if is_file_name(name)}


def _names(values: Any, labels: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(values, dict) or not set(values) <= set(labels):
        raise ValueError("it has display names of classes that it does not know")
    if not all(map(is_line, values.values())):
        raise ValueError("a display name of it is no short line of text")
    return dict(values)


def _words(values: Any, labels: tuple[str, ...]) -> Translation:
    if not isinstance(values, dict):
        raise ValueError("its words in another language are wrong")
    allowed: dict[str, Callable[[object], bool]] = {
        "title": is_line, "prompt": is_line, "answer": is_answer,
    }  # fmt: skip
    said = {key: values[key] for key in allowed if values.get(key)}
    if not all(allowed[key](text) for key, text in said.items()):
        raise ValueError("its words in another language are wrong")
    return Translation(**said, classes=_names(values.get("classes", {}), labels))


def _examples(
    values: Any, labels: tuple[str, ...], files: Mapping[str, str]
) -> tuple[Example, ...]:
    """Examples whose file is there: a bundle that was packed for another machine has none."""
    if not isinstance(values, list):
        raise ValueError("its examples are wrong")
    found = [_example(each, labels) for each in values[:MOST_EXAMPLES]]
    return tuple(each for each in found if each.file in files)


def _example(values: Any, labels: tuple[str, ...]) -> Example:
    if not isinstance(values, dict):
        raise ValueError("an example of it is wrong")
    file, label, credit = values["file"], values["label"], values.get("credit")
    if not isinstance(file, str) or not _EXAMPLE.fullmatch(file) or label not in labels:
        raise ValueError("an example of it is no file of its folder, or of no class")
    return Example(file, label, None if credit is None else _credit(credit))


def _credit(values: Any) -> Credit:
    text, url = (values["text"], values.get("url", "")) if isinstance(values, dict) else (None, "")
    if not isinstance(text, str) or not is_line(text):
        raise ValueError("a credit of it is no short line of text")
    if not isinstance(url, str) or len(url) > LONGEST_ADDRESS:
        raise ValueError("a link of it is wrong")
    if url and not _ADDRESS.fullmatch(url):
        raise ValueError("a link of it is no web address")
    return Credit(text, url)
