"""Connect to Ray: start it on this machine, or join a cluster."""

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
STORE = 100 * 2**20  # bytes of shared memory on one machine; models and counts need a tenth of that
# Ray gives its own processes 30 s to start; this cannot be changed, and on a busy machine it is too
# little. The next try is faster, since the libraries are in memory by then.
SLOW = 20.0  # seconds; if starting failed after so long, it was a timeout
STARTING = 240.0  # seconds after which it is not tried again
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # turns off Ray's telemetry
    "RAY_worker_niceness": "0",  # default is 15, with which all other programs come first
    # A busy machine takes longer than the defaults of 5, 30 and 30 seconds.
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "120",
    "RAY_gcs_server_port_wait_time_s": "120",
    "RAY_agent_register_timeout_ms": "120000",
}


@contextmanager
def connected(
    # Of a cluster, such as "auto"; None: start Ray on this machine, for this program.
    address: str | None,
    cores: int | None = None,  # that Ray may use on this machine; None: all
) -> Iterator[None]:
    """Run the block connected to Ray. Raises `KezakoError` if that fails.

    If this program is connected already, that connection is used and stays open.
    """
    if ray.is_initialized():
        yield
        return
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    settings: dict[str, Any] = {"logging_level": logging.WARNING, "log_to_driver": False}
    if address is None:
        # Ray listens on the network and runs code for anyone who knows its token. By default it
        # would store a token permanently in a file that all users of this machine can read.
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        logging.getLogger("ray._private.authentication").setLevel(logging.ERROR)
        settings |= {"address": "local", "num_cpus": cores, "include_dashboard": False,
                     "object_store_memory": STORE}  # fmt: skip
    else:
        # The other machines need the packages in requirements.txt; this package is sent with the
        # work.
        settings |= {"address": address, "runtime_env": {"py_modules": [str(PACKAGE)]}}
    _connect(settings)
    try:
        yield
    finally:
        ray.shutdown()


def _connect(settings: dict[str, Any]) -> None:
    """Start Ray here within `STARTING` seconds, or join a cluster. Raises `KezakoError`."""
    here = settings["address"] == "local"
    end = time.monotonic() + STARTING
    while True:
        began = time.monotonic()
        try:
            ray.init(**settings)
            return
        except Exception as error:  # a plain `Exception` if it took too long
            ray.shutdown()
            took = time.monotonic() - began
            if not here or took < SLOW or time.monotonic() > end:
                where = "this machine" if here else settings["address"]
                raise KezakoError(f"Ray cannot be reached at {where}: {error}") from None
            print(f"Ray took more than {took:.0f} seconds to start; once more.", file=sys.stderr)
