"""A visit that ends while its websocket is being opened, which a busy machine takes long for."""

from __future__ import annotations

from pathlib import Path

from tests.limits.guest import Guest, ask
from tests.servers import serving, until

# `kezako serve`, whose visitors all leave in the middle of the handshake.
LEAVING = """
import sys
from kezako.cli import main
from kezako.serve.websocket import VisitorConnection

async def leave(connection):
    handler = connection.websocket_handler
    handler.host.end(handler.session, "left")

VisitorConnection.prepare = leave
sys.exit(main())
"""


def test_the_page_is_told(a_small_home: Path) -> None:
    arguments = ["-c", LEAVING, "serve", "--no-browser", "--port", "{port}"]
    for address in serving(arguments, a_small_home, "healthz"):
        until(lambda: ask(address, "healthz").status == 200, "The page is not ready.")  # noqa: B023
        guest = Guest(address).arrives().connects()
        assert guest.is_dismissed() == (4410, "This page has ended.")
        assert guest.is_gone()
