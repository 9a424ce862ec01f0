"""`README.md` of an imported bundle: where it came from, what is known of it, and what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kezako.bundle import Card
from kezako.wording import as_text


def write_readme(card: Card, folder: Path) -> None:
    """Write `README.md`, and where pictures were given the confusion matrix as a picture."""
    if card.figures.get("validation", {}).get("confusion"):
        from kezako.train.model_card import CONFUSION, draw_confusion

        matrix = card.figures["validation"]["confusion"]
        draw_confusion(matrix, card.labels).savefig(folder / CONFUSION, dpi=110)
    (folder / "README.md").write_text(readme(card), encoding="utf-8")


def readme(card: Card) -> str:
    """The text of `README.md`."""
    origin = card.training["imported"]
    several = " A picture may show several of them, or none." if card.task == "multi" else ""
    sections = [
        f"# {as_text(card.title)}",
        f"Tells apart: {', '.join(as_text(label) for label in card.labels)}.{several}",
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
    how = card.preprocessing
    network = f"A {as_text(origin['architecture'])}" if origin["architecture"] else "A network"
    left = origin["left_out"]
    return (
        f"{network} that sees pictures at {how.size} px, resize `{how.resize}`"
        f"{', in grey' if how.mode == 'L' else ''}. The page's model gives its probabilities "
        f"within {max(origin['difference'], 1e-6):.6f}."
        + (
            f" Left behind, and never run: {', '.join(as_text(name) for name in left)}."
            if left
            else ""
        )
    )


def _figures(card: Card) -> list[str]:
    validation, calibration = card.figures["validation"], card.figures["calibration"]
    rows = ["| class | error |", "|---|---|"]
    rows += [f"| {as_text(label)} | {_percent(error)} |"
             for label, error in validation["error_by_class"].items()]  # fmt: skip
    rows.append(f"| all | {_percent(validation['error'])} |")
    passed = card.figures["none_of_these"]["passed"]
    agreed = card.figures["agreement"]["same_label_as_fp32"]
    return [
        "\n".join(rows),
        _confusion(card) if "confusion" in validation else "",
        f"Measured on {validation['pictures']} pictures that were given at import. Whether the "
        "network had learnt from some of them is not known; if so, it errs more often than that.",
        f"Calibration error {_percent(calibration['after'])} ({_percent(calibration['before'])} "
        f"before temperature scaling, T = {card.temperature:.2f}), on pictures the temperature "
        f'was not fitted on. {_percent(passed)} of the pictures pass as known, the rest as "none '
        f'of these". The page runs {card.precision}, which answers as fp32 does on '
        f"{_percent(agreed)} of the pictures.",
    ]


def _confusion(card: Card) -> str:
    from kezako.train.model_card import show_confusion

    return show_confusion(card.labels)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _code(value: str) -> str:
    return "".join("?" if c == "`" or not c.isprintable() else c for c in str(value))
