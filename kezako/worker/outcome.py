"""What became of one picture: what the API says of it, or a sentence that says why not."""

from __future__ import annotations

from typing import Any

# label, labels, probabilities, known, sentence, model, milliseconds; else one of {"refused":
# sentence}, where the picture is to blame, and {"failed": sentence, "why": reason}, where this
# side is: the sentence is for strangers, the reason for who runs the program.
Outcome = dict[str, Any]


def problem(outcome: Outcome) -> str:
    """The sentence where there is no answer; empty where there is one."""
    return str(outcome.get("refused") or outcome.get("failed") or "")


def reason(outcome: Outcome) -> str:
    """The same for who runs the program, who may learn of files and of what is wrong with them."""
    return str(outcome.get("why") or problem(outcome))
