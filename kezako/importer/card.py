"""`README.md` of an imported bundle: its origin, what is known about it, and what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kezako.export import sentences
from kezako.export.card import names, show_confusion, write_confusion, write_cover
from kezako.model.bundle import Card
from kezako.model.wording import as_text


def write_readme(card: Card, folder: Path) -> None:
    """Write `README.md`, the cover and, if pictures were given, a plot of the confusion matrix."""
    write_cover(card, folder)
    write_confusion(card, folder)
    (folder / "README.md").write_text(readme(card), encoding="utf-8")


def readme(card: Card) -> str:
    """The text of `README.md`."""
    origin = card.training["imported"]
    several = " A picture may show several of them, or none." if card.task == "multi" else ""
    sections = [
        f"# {as_text(card.title)}",
        f"Tells apart: {', '.join(map(as_text, names(card)))}.{several}",
        "## Where it came from",
        f"Imported by `kezako import` from `{_code(origin['file'])}` ({origin['bytes']:,} bytes, "
        f"sha256 `{origin['sha256']}`). The network was built anew from the weights in that file; "
        "nothing that the file brought along was run, and the file itself is not part of this "
        "bundle, because a stranger's pickle is not to be passed on.",
        _network(card, origin),
        "## How good it is",
        *(_figures(card) if card.figures else [_NOTHING_KNOWN.format(name=_code(card.name))]),
        "## Limits",
        "What it was trained on, by whom and under which licence, the file does not say. It knows "
        "only the classes above, from pictures like those it learnt. Do not use it where a wrong "
        "answer could harm somebody.",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


_NOTHING_KNOWN = (
    "Not known: an export holds no pictures to measure it on. Its probabilities are as the "
    'network gives them, not calibrated, and it cannot say "none of these". With pictures of '
    "your own, a sub-folder for each class, both are measured: "
    "`kezako import FILE --name {name} --pictures FOLDER --replace`."
)


def _network(card: Card, origin: dict[str, Any]) -> str:
    preprocessing = card.preprocessing
    network = f"A {as_text(origin['architecture'])}" if origin["architecture"] else "A network"
    left = origin["left_out"]
    ways = ", then ".join(way for way, _ in preprocessing.ways)
    scaled = ", before the temperature below scales them" * (card.temperature != 1)
    return (
        f"{network} that sees pictures at {preprocessing.size} px, resize `{ways}`"
        f"{', in grey' if preprocessing.mode == 'L' else ''}. {_agreement(origin, scaled)}"
        + (
            f" Left behind, and never run: {', '.join(as_text(name) for name in left)}."
            if left
            else ""
        )
        + (_AS_IT_CAME if preprocessing.ways[0][0].startswith("center-crop") else "")
    )


def _agreement(origin: dict[str, Any], scaled: str) -> str:
    """How close the page's answers are to the learner's, or why that is not known."""
    if doubts := origin.get("doubts"):
        return (
            "Whether the page answers as the learner did is not known, because what this does to "
            f"pictures is not: {', '.join(as_text(name) for name in doubts)}."
        )
    within = max(origin["difference"], 1e-6)
    return f"The page's model gives its probabilities within {within:.6f}{scaled}."


_AS_IT_CAME = (
    " It sees the middle of a photo, pixel by pixel as it came; the page makes large photos "
    "smaller before they travel, and sees more of those."
)


def _figures(card: Card) -> list[str]:
    return [
        sentences.table(card),
        _confusion(card) if "confusion" in card.figures["validation"] else "",
        sentences.measured(card, "pictures that were given at import"),
        "Whether the network had learnt from some of them is not known; if so, it errs more often "
        "than that on others.",
        sentences.calibration(card),
        sentences.none_of_these(card),
        sentences.precision(card),
    ]


def _confusion(card: Card) -> str:
    return show_confusion(names(card))


def _code(value: str) -> str:
    return "".join("?" if c == "`" or not c.isprintable() else c for c in str(value))
