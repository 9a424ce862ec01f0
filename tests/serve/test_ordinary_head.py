"""A page whose kernel was not forked has the same head."""

from __future__ import annotations

from pathlib import Path

from tests.limits.conftest import a_small_home  # noqa: F401
from tests.limits.guest import Guest, ask
from tests.limits.makers import THREAD, write_notebook
from tests.servers import serving, until


def test_an_ordinary_page_tells_what_it_is(tmp_path: Path, a_small_home: Path) -> None:  # noqa: F811
    (tmp_path / "models").symlink_to(a_small_home / "models")
    write_notebook(tmp_path, THREAD)
    command = ["-m", "kezako", "serve", "--no-browser", "--port", "{port}"]
    for address in serving(command, tmp_path, "healthz"):
        until(lambda: ask(address, "healthz").status == 200, "The page is not ready.")  # noqa: B023
        page = ask(address)
        log = next(tmp_path.glob("*.log")).read_text()
        assert "Every visitor's kernel starts from nothing" in log
        assert (
            page.text.count("<title>Which of colours?</title>") == page.text.count("<title>") == 1
        )
        assert '<meta property="og:title" content="Which of colours?">' in page.text
        Guest(address, page.kernel).leaves()
