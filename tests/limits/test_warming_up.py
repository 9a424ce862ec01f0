"""The port is bound first; until the page is ready, a page of its own says so."""

from __future__ import annotations

from pathlib import Path

from tests.limits.guest import Guest, ask
from tests.limits.makers import write_notebook
from tests.servers import serving


def test_a_page_in_the_making_says_so_and_opens_by_itself(
    tmp_path: Path, a_small_home: Path
) -> None:
    (tmp_path / "models").symlink_to(a_small_home / "models")
    write_notebook(tmp_path, "import time\ntime.sleep(2)\n")
    command = ["-m", "kezako", "serve", "--no-browser", "--port", "{port}"]
    for address in serving(command, tmp_path, "healthz"):
        page, health = ask(address, "?model=colours"), ask(address, "healthz")
        assert (page.status, health.status) == (503, 503)
        assert "page is being made ready" in page.text
        assert "model=colours" in page.again
        assert "page" in health.text
        guest = Guest(address).waits()
        assert ask(address, "healthz").status == 200
        guest.leaves()
