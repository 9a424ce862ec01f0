"""A connection to Ray: this machine's own, or a cluster's."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray

from kezako.errors import KezakoError

PACKAGE = Path(__file__).parents[1]
STORE = 100 * 2**20  # bytes of shared memory on one machine: models and counts need a tenth
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # else Ray reports to its maker
    "RAY_worker_niceness": "0",  # else whatever else runs comes first, by far: they are nice, 15
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",  # a busy machine takes longer than 5
}


@contextmanager
def connected(
    address: str | None,  # of a cluster, such as "auto"; None: start Ray here, for this program
    cores: int | None = None,  # that Ray may use here; None: all
) -> Iterator[None]:
    """While the block runs, Ray is there. Raises `KezakoError` with a sentence.

    Where this program is connected already, that connection is used and left as it is.
    """
    if ray.is_initialized():
        yield
        return
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    settings: dict[str, Any] = {"logging_level": logging.WARNING, "log_to_driver": False}
    if address is None:
        # Ray listens to the network and runs what it is told, by whoever knows its token. It
        # would keep one for ever in a file that all people of this machine may read.
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        logging.getLogger("ray._private.authentication").setLevel(logging.ERROR)
        settings |= {"address": "local", "num_cpus": cores, "include_dashboard": False,
                     "object_store_memory": STORE}  # fmt: skip
    else:
        # The other machines need what requirements.txt names; this package travels with the work.
        settings |= {"address": address, "runtime_env": {"py_modules": [str(PACKAGE)]}}
    _connect(settings)
    try:
        yield
    finally:
        ray.shutdown()


def _connect(settings: dict[str, Any]) -> None:
    """A Ray of this machine is tried twice. Raises `KezakoError` with a sentence."""
    here = settings["address"] == "local"
    for last in (False, True) if here else (True,):
        try:
            ray.init(**settings)
            return
        except Exception as error:  # a plain one where Ray took over 30 seconds to start
            ray.shutdown()
            if last:
                where = "this machine" if here else settings["address"]
                raise KezakoError(f"Ray cannot be reached at {where}: {error}") from None
