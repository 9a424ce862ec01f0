"""Voilà with snapshot kernels and nothing else of ours: `python -m tests.serve.server NOTEBOOK`.

Its environment says the rest: TEST_QUERIES, those with a snapshot of their own, by blanks;
TEST_WATCHED, a pattern.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from traitlets import default
from voila.app import Voila

from voila_snapshot import pages, provisioner


class Server(Voila):  # type: ignore[misc]
    @default("tornado_settings")
    def _tornado_settings(self) -> dict[str, object]:
        return {"disable_check_xsrf": True}  # the last words of a tab have no token

    def initialize(self, argv: Sequence[str] | None = None) -> None:
        super().initialize(argv)
        queries = os.environ.get("TEST_QUERIES")
        provisioner.configure(
            self,
            watched=filter(None, [os.environ.get("TEST_WATCHED")]),
            queries=None if queries is None else queries.split,
        )

    def init_handlers(self) -> list[Any]:
        return pages.install(super().init_handlers())

    def stop(self) -> None:
        super().stop()
        self.snapshots.stop()


if __name__ == "__main__":
    Server.launch_instance(sys.argv[1:])
