"""`python -m kezako`: the command line, also if the `kezako` script is not on the path."""

from __future__ import annotations

import sys

from kezako.cli import main

if __name__ == "__main__":
    sys.exit(main())
