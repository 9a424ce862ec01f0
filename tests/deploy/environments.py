"""Virtual environments that are copies of another."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def copy_environment(
    source: Path,
    target: Path,
    called: str = "",  # its address for what runs in it, where that is another
) -> Path:
    """Make one in a moment: files are linked, and what is installed later is the copy's alone."""
    shutil.copytree(source, target, symlinks=True, copy_function=os.link)
    old = f"#!{source}/"
    for script in (target / "bin").iterdir():
        if not script.is_symlink() and script.read_bytes().startswith(old.encode()):
            text = f"#!{called or target}/{script.read_text(encoding='utf-8').removeprefix(old)}"
            script.unlink()  # else it would be the other's, too
            script.write_text(text, encoding="utf-8")
            script.chmod(0o755)
    return target
