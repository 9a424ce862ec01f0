"""Write docs/settings.md from `kezako.settings`.

python scripts/settings.py
"""

from __future__ import annotations

from pathlib import Path

from kezako.settings import GROUPS, PREFIX

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
HEAD = """# Settings

Each is a variable of the environment, and some are options of `kezako serve` as well. One that \
Kezako does not know, or a value out of bounds, is refused before anything starts, with a hint at \
what you may have meant. More on [visitors](serve.md), [the API](api.md) and \
[picture sources](sources.md).
"""


def page() -> str:
    """The whole page, as Markdown."""
    parts = [HEAD.strip()]
    for group, settings in GROUPS.items():
        rows = [
            f"| `{PREFIX}{name}` | {setting.default} | {setting.does} |"
            for name, setting in settings.items()
        ]
        table = ["| variable | default | what it sets |", "|---|---|---|", *rows]
        parts += [f"## {group}", "\n".join(table)]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
