"""`kezako scale serve`: the API on Ray Serve, with autoscaling and rolling updates."""

from __future__ import annotations

import logging
import signal
import threading
from dataclasses import dataclass
from pathlib import Path

import ray
from ray import serve as ray_serve
from ray.exceptions import RayError
from ray.serve.config import HTTPOptions
from ray.serve.schema import LoggingConfig

from kezako import ports
from kezako.api.settings import ApiSettings
from kezako.errors import KezakoError
from kezako.model.bundle import BundleError
from kezako.model.classifier import Classifier
from kezako.scale.cluster import connected
from kezako.scale.ingress import Ingress
from kezako.scale.packed import Packed
from kezako.scale.replica import TOGETHER, Model
from kezako.worker.process import stamp_of

EACH_SECOND = 1.0  # seconds between two checks of the bundle
# Half a core each, so that a new replica has room next to the one that it replaces.
SHARE = 0.5
BUSY = 4  # requests per replica above which another one is started
DOORS = 8  # replicas per process that reads requests; it reads 300 per second
ENDING = 20.0  # seconds for the open requests of a replica that is stopped


@dataclass(frozen=True)
class Replicas:
    """How many replicas there may be."""

    least: int = 1
    most: int | None = None  # None: one per core


def serve(
    bundle: Path,  # models/NAME; a new version is deployed without downtime
    host: str,
    port: int,
    replicas: Replicas,
    address: str | None = None,  # of a Ray cluster; None: this machine
) -> None:
    """Serve the API until stopped. Raises `KezakoError`."""
    settings = ApiSettings.from_environment()
    stamp = stamp_of(bundle)
    packed = _checked(bundle)
    stop = threading.Event()
    if address is None:
        ports.check(host, port)
    with connected(address):
        for sign in (signal.SIGINT, signal.SIGTERM):  # set here, since Ray sets its own
            signal.signal(sign, lambda *_: stop.set())
        most = _most(replicas)
        try:
            try:
                _begin(packed, settings, host, port, replicas.least, most)
            except (RayError, RuntimeError, TimeoutError) as error:
                reason = str(error).strip().splitlines()[-1]
                raise KezakoError(f"Ray Serve does not start here ({reason}).") from error
            print(f"The API is at http://{host}:{port}/api/predict (Ctrl+C stops it).", flush=True)
            latest = stamp
            while not stop.wait(EACH_SECOND):
                before, latest = latest, stamp_of(bundle)
                if stamp != latest == before:  # unchanged for one check: it is written completely
                    stamp = latest
                    _exchange(bundle, settings, replicas.least, most)
        finally:
            _end(packed.name, address)


def _begin(
    packed: Packed, settings: ApiSettings, host: str, port: int, least: int, most: int
) -> None:
    quiet = LoggingConfig(log_level="WARNING", enable_access_log=False)
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    ray_serve.start(http_options=HTTPOptions(host=host, port=port), logging_config=quiet)
    _run_model(packed, settings, least, most)
    doors = {"min_replicas": 1, "max_replicas": -(-most // DOORS)}
    door = ray_serve.deployment(
        name="Ingress",
        autoscaling_config=doors,
        max_ongoing_requests=settings.requests,
        ray_actor_options={"num_cpus": 0},
        graceful_shutdown_timeout_s=ENDING,
    )(Ingress).bind(packed.name, settings, _application(packed.name))
    ray_serve.run(door, name=f"kezako-{packed.name}", route_prefix="/")


def _run_model(packed: Packed, settings: ApiSettings, least: int, most: int) -> None:
    """Start replicas, or replace them one by one: each new one starts before an old one stops."""
    scaling = {
        "min_replicas": least, "max_replicas": most, "target_ongoing_requests": BUSY,
        "upscale_delay_s": 2.0, "downscale_delay_s": 120.0,
    }  # fmt: skip
    model = ray_serve.deployment(
        name="Model",
        autoscaling_config=scaling,
        max_ongoing_requests=2 * TOGETHER,
        max_queued_requests=settings.waiting,
        max_surge_percent=100,
        ray_actor_options={"num_cpus": SHARE},
        health_check_period_s=5.0,
        graceful_shutdown_timeout_s=ENDING,
        graceful_shutdown_wait_loop_s=0.2,
    )(Model).bind(packed, settings.seconds_each)
    # A separate application: running it again replaces its replicas but not the ingress.
    ray_serve.run(model, name=_application(packed.name), route_prefix=None)


def _exchange(bundle: Path, settings: ApiSettings, least: int, most: int) -> None:
    try:
        packed = _checked(bundle)
    except BundleError as error:
        print(f"kezako: {error} The one before goes on answering.", flush=True)
        return
    _run_model(packed, settings, least, most)
    print(f"{packed.name} was exchanged.", flush=True)


def _checked(bundle: Path) -> Packed:
    """Open the bundle here, so that replicas get only valid ones. Raises `BundleError`."""
    Classifier.open(bundle, threads=1)
    return Packed.of(bundle)


def _most(replicas: Replicas) -> int:
    cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
    if replicas.least > cores:
        raise KezakoError(f"There are {cores} cores; ask for at most {cores} replicas.")
    return max(replicas.least, min(replicas.most or cores, cores))


def _application(name: str) -> str:
    return f"kezako-{name}-model"


def _end(name: str, address: str | None) -> None:
    if address is None:
        ray_serve.shutdown()
        return
    for application in (f"kezako-{name}", _application(name)):  # others may run there, too
        ray_serve.delete(application)
