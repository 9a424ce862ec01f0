"""Servers that several files share."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.serve.served import ECHO, Served, served, write_notebook

if sys.platform != "linux":
    collect_ignore_glob = ["test_kernel_*", "test_snapshot_*"]  # they look into /proc


@pytest.fixture(scope="package")
def an_echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose page says what a visitor typed."""
    notebook = write_notebook(tmp_path_factory.mktemp("echo") / "echo.ipynb", ECHO)
    with served(notebook, TEST_QUERIES="") as server:
        yield server
