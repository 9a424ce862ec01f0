"""A connection to Ray: this machine's own, or a cluster's."""

from __future__ import annotations

import logging
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray

from kezako.errors import KezakoError

PACKAGE = Path(__file__).parents[1]
STORE = 100 * 2**20  # bytes of shared memory on one machine: models and counts need a tenth
# Ray gives its own processes 30 s to start, whatever one says: too little where much else runs. The
# next try is quicker, since their libraries are in memory by then.
SLOW = 20.0  # s after which it was for want of time that it did not start
STARTING = 240.0  # s after which it is not tried again
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # else Ray reports to its maker
    "RAY_worker_niceness": "0",  # else whatever else runs comes first, by far: they are nice, 15
    # What a busy machine takes longer for: 5, 30 and 30 seconds else.
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "120",
    "RAY_gcs_server_port_wait_time_s": "120",
    "RAY_agent_register_timeout_ms": "120000",
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
    """Start Ray on this machine, within `STARTING`, or join a cluster. Raises `KezakoError`."""
    here = settings["address"] == "local"
    end = time.monotonic() + STARTING
    while True:
        began = time.monotonic()
        try:
            ray.init(**settings)
            return
        except Exception as error:  # a plain one where it took too long
            ray.shutdown()
            took = time.monotonic() - began
            if not here or took < SLOW or time.monotonic() > end:
                where = "this machine" if here else settings["address"]
                raise KezakoError(f"Ray cannot be reached at {where}: {error}") from None
            print(f"Ray took more than {took:.0f} seconds to start; once more.", file=sys.stderr)
