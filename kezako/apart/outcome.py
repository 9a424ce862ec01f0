"""What became of one picture: what the API says of it, or a sentence that says why not."""

from __future__ import annotations

from typing import Any

# label, labels, probabilities, known, sentence, model, milliseconds; else one of {"refused":
# sentence}, where the picture is to blame, and {"failed": sentence}, where this side is.
Outcome = dict[str, Any]


def problem(outcome: Outcome) -> str:
    """The sentence where there is no answer; empty where there is one."""
    return str(outcome.get("refused") or outcome.get("failed") or "")
