"""The API next to the page: one model in a worker process, with a bounded queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tornado.web import HTTPError
from traitlets.log import get_logger

from kezako.api.bodies import Unreadable, kind_of, read_pictures
from kezako.api.concurrency import ConcurrencyLimit
from kezako.api.handler import ApiHandler
from kezako.api.metrics import CONTENT_TYPE, Metrics
from kezako.api.openapi import describe
from kezako.api.queue import Full, Late, Queue
from kezako.api.responses import shown, summary
from kezako.api.rules import UNKNOWN, Refusal
from kezako.api.settings import ApiSettings, switched_on
from kezako.model.bundle import NOT_CLASSIFIERS, BundleError, Card, list_bundles, read_card
from kezako.worker.client import Predictor
from kezako.worker.protocol import Outcome
from voila_snapshot.logs import Scribe, all_together


class Health:
    """Named health checks; the server is ready when all of them pass."""

    def __init__(self) -> None:
        self._checks: dict[str, Callable[[], bool]] = {}

    def add(self, name: str, check: Callable[[], bool]) -> None:
        """Call `check` for each request of /healthz; it must be fast. Raising means not ready."""
        self._checks[name] = check

    def missing(self) -> list[str]:
        """The names of the checks that fail; empty when ready."""
        return [name for name, check in self._checks.items() if not _passes(name, check)]


def _passes(name: str, check: Callable[[], bool]) -> bool:
    try:
        return bool(check())
    except Exception as error:
        get_logger().warning("The health check %s failed: %s", name, error)
        return False


Route = tuple[str, type[ApiHandler], dict[str, object]]

NONE_YET = "There is no classifier here yet. Train one with: kezako train NAME"


class Api:
    """What all API requests share; the server that creates it must call `close`."""

    def __init__(
        self,
        models: Path,  # the folder of bundles that requests may name
        default: str | None = None,  # the default classifier; None: the first by name
        kernels: Any = None,  # the server's kernel manager, for a gauge
        settings: ApiSettings | None = None,  # default: from the environment
        elsewhere: bool = False,  # True: an engine classifies, and this server has no API
    ):
        self.settings = ApiSettings.from_environment() if settings is None else settings
        self.metrics = Metrics()
        self.health = Health()
        self.gate = ConcurrencyLimit(self.settings)
        self._models = models
        self._default = default
        self._answers = switched_on() and not elsewhere
        scribe = Scribe(get_logger(), "Classifier", all_together())
        self._predictor = Predictor(models, follow=scribe.follow_beside)
        self.queue = Queue(self._predictor, self.settings, self.metrics)
        if not elsewhere:
            self.health.add("classifier", lambda: bool(self.names()))
        self._add_gauges(kernels)

    def handlers(self, base: str = "/") -> list[Route]:
        """Routes below `base`; put them before the page's own, which matches every path."""
        routes: list[tuple[str, type[ApiHandler]]] = [
            ("healthz", HealthHandler),
            ("metrics", MetricsHandler),
        ]
        if self._answers:
            routes += [
                ("api/predict", PredictHandler),
                ("api/models", ModelsHandler),
                (r"api/openapi\.json", OpenApiHandler),
            ]
        # Else such a path would start a kernel.
        routes.append((r"api(?!/kernels/)(?:/.*)?", NothingHandler))
        base = base.rstrip("/")
        return [(f"{base}/{path}", handler, {"api": self}) for path, handler in routes]

    def names(self) -> list[str]:
        """The classifiers that a request may name; the first one is the default."""
        names = (name for name in list_bundles(self._models) if name not in NOT_CLASSIFIERS)
        return sorted(names, key=lambda name: (name != self._default, name))

    def candidates(self, asked: str | None) -> list[str]:
        """The classifiers to try, in order. Raises `Refusal`."""
        names = self.names()
        if asked:
            if asked not in names:
                raise Refusal(404, UNKNOWN)
            return [asked]
        if not names:
            raise Refusal(503, NONE_YET)
        return names

    def cards(self) -> dict[str, Card]:
        """Name -> card, for cards that can be read; the default classifier comes first."""
        cards = {}
        for name in self.names():
            try:
                cards[name] = read_card(self._models / name)
            except BundleError as error:
                get_logger().warning("%s", error)
        return cards

    def memory(self) -> int:
        """Resident memory of the worker in bytes."""
        return self._predictor.memory()

    def close(self) -> None:
        """End the worker."""
        self.queue.close()

    def _add_gauges(self, kernels: Any) -> None:
        gauge = self.metrics.gauge
        gauge("kezako_waiting_pictures", "In the API's queue.", lambda: self.queue.waiting)
        gauge("kezako_api_open_requests", "Being received or answered.", lambda: self.gate.requests)
        gauge("kezako_api_body_bytes", "Of requests, held in memory.", lambda: self.gate.bytes)
        gauge("kezako_worker_memory_bytes", "Resident in the API's worker.", self.memory)
        gauge("kezako_worker_starts", "Of the API's worker.", lambda: self._predictor.starts)
        if kernels is not None:
            gauge("kezako_kernels", "Of visitors.", lambda: len(kernels))


class Handler(ApiHandler):
    """Base class of the routes below."""

    api: Api


class NothingHandler(Handler):
    """All other paths of the API."""

    def prepare(self) -> None:
        raise HTTPError(404)


class PredictHandler(Handler):
    """Classify pictures."""

    methods = ("POST",)

    def check(self) -> None:
        try:
            kind_of(self.request.headers.get("Content-Type"))
            self.api.candidates(self.get_query_argument("model", None))
            self.api.queue.check()
        except Unreadable as error:
            raise Refusal(error.status, str(error)) from None
        except Full as full:
            raise Refusal.come_again(full.seconds) from None

    async def post(self) -> None:
        try:
            self.received()
            pictures, several = self._pictures()
            outcomes = await self._outcomes(pictures)
        except Refusal as refusal:
            self.refuse(refusal)
        except asyncio.CancelledError:
            self.set_status(499, "The client left")  # only for the metrics
        else:
            self._answer(outcomes, several)

    def _pictures(self) -> tuple[Sequence[memoryview], bool]:
        try:
            kind = self.request.headers.get("Content-Type")
            return read_pictures(self.body, kind, self.api.settings.pictures)
        except Unreadable as error:
            raise Refusal(error.status, str(error)) from None

    async def _outcomes(self, pictures: Sequence[memoryview]) -> list[Outcome]:
        names = self.api.candidates(self.get_query_argument("model", None))
        self.task = asyncio.ensure_future(self.api.queue.ask(names, pictures))
        try:
            return await self.task
        except Full as full:
            raise Refusal.come_again(full.seconds) from None
        except Late:
            self.api.metrics.predictions.labels("late").inc(len(pictures))
            raise Refusal.late() from None

    def _answer(self, outcomes: Sequence[Outcome], several: bool) -> None:
        self.say(*shown(outcomes, several))


class ModelsHandler(Handler):
    """Lists the classifiers; the first one is the default."""

    def get(self) -> None:
        self.say(200, {"models": [summary(*each) for each in self.api.cards().items()]})


class OpenApiHandler(Handler):
    """Serves the OpenAPI description."""

    open_to_all = True

    def get(self) -> None:
        self.say(200, describe(self.api.settings))


class HealthHandler(Handler):
    """Says whether the server is ready, without starting a kernel."""

    open_to_all = True

    def get(self) -> None:
        missing = self.api.health.missing()
        status = {"status": "not ready" if missing else "ready", "missing": missing}
        self.say(503 if missing else 200, status, {"Retry-After": "2"} if missing else {})


class MetricsHandler(Handler):
    """Serves metrics for Prometheus."""

    def get(self) -> None:
        self.send_text(self.api.metrics.text(), CONTENT_TYPE)
