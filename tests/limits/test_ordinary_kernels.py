"""Where a notebook cannot be forked, visitors get ordinary kernels; the limits hold for them."""

from __future__ import annotations

from pathlib import Path

from tests.limits.guest import Guest, ask
from tests.limits.makers import THREAD, write_notebook
from tests.servers import serving, until


def test_a_notebook_with_a_thread_is_served_all_the_same(
    tmp_path: Path, a_small_home: Path
) -> None:
    (tmp_path / "models").symlink_to(a_small_home / "models")
    write_notebook(tmp_path, THREAD)
    command = ["-m", "kezako", "serve", "--no-browser", "--port", "{port}", "--visitors", "1"]
    for address in serving(command, tmp_path, "healthz"):
        until(lambda: ask(address, "healthz").status == 200, "The page is not ready.")  # noqa: B023
        guest = Guest(address).arrives().connects()
        assert guest.is_answered()
        assert ask(address).status == 503
        guest.leaves()
        assert guest.is_dismissed()[0] == 4410
        Guest(address).waits().leaves()
        log = next(tmp_path.glob("*.log")).read_text()
        assert "Every visitor's kernel starts from nothing, because" in log
