"""The API in front of the replicas: the same routes, limits and messages as in `kezako serve`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from ray import serve
from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from kezako.api.bodies import JSON, Unreadable, kind_of, read_pictures
from kezako.api.concurrency import Busy, ConcurrencyLimit
from kezako.api.openapi import describe
from kezako.api.responses import shown
from kezako.api.rules import HEADERS, SENTENCES, TOO_SLOW, UNKNOWN, Refusal, Rules, as_json
from kezako.api.settings import ApiSettings
from kezako.worker.protocol import Outcome

PAUSES = (0.1, 0.3, 1.0, 2.0)  # seconds before the next try, if a replica was lost with a picture
SOON = 2.0  # seconds that a busy replica may take to send its summary
FRESH = 60.0  # seconds for which an earlier summary counts

Handler = Callable[[Request], Awaitable[Response]]


class Ingress:
    """Reads requests, asks the replicas, and retries what was lost with one of them."""

    def __init__(
        self,
        name: str,  # of the classifier
        settings: ApiSettings,
        replicas: str,  # name of their Ray Serve application
    ):
        self._name = name
        self._settings = settings
        self._rules, self._gate = Rules(settings), ConcurrencyLimit(settings)
        self._model = serve.get_deployment_handle("Model", app_name=replicas)
        self._summary: dict[str, Any] = {}
        self._told = 0.0
        self._routes: dict[str, dict[str, Handler]] = {
            "/api/predict": {"POST": self._predict},
            "/api/models": {"GET": self._models},
            "/api/openapi.json": {"GET": self._describe},
            "/healthz": {"GET": self._health},
        }
        self._open_to_all = {"/api/openapi.json", "/healthz"}

    async def __call__(self, request: Request) -> Response:
        try:
            return await self._handled(request)
        except Refusal as refusal:
            return self._say(request, refusal.status, {"error": str(refusal)}, refusal.headers)
        except ClientDisconnect:
            return Response(status_code=499)  # the client left
        except Exception:
            logging.getLogger("ray.serve").exception("A request could not be answered.")
            return self._say(request, 500, {"error": SENTENCES[500]})

    async def _handled(self, request: Request) -> Response:
        path = request.url.path
        handlers = self._routes.get(path)
        if handlers is None:
            raise Refusal(404, SENTENCES[404])
        methods = ", ".join([*handlers, *(["HEAD"] if "GET" in handlers else []), "OPTIONS"])
        if request.method == "OPTIONS":
            return self._options(request, methods)
        handler = handlers.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            raise Refusal(405, SENTENCES[405], {"Allow": methods})
        if path not in self._open_to_all:
            self._rules.check_token(request.headers)
        return await handler(request)

    async def _predict(self, request: Request) -> Response:
        headers = request.headers
        self._rules.check_origin(headers, headers.get("Host", ""))
        self._rules.check_size(headers)
        if request.query_params.get("model", self._name) != self._name:
            raise Refusal(404, UNKNOWN)
        body = bytearray()
        try:
            kind = headers.get("Content-Type")
            kind_of(kind)
            await self._receive(request, body)
            pictures, several = read_pictures(body, kind, self._settings.pictures)
            asked = asyncio.gather(*(self._ask(bytes(picture)) for picture in pictures))
            outcomes: Sequence[Outcome] = await asyncio.wait_for(asked, self._settings.deadline)
        except Unreadable as error:
            raise Refusal(error.status, str(error)) from None
        except TimeoutError:
            raise Refusal.late() from None
        finally:
            self._gate.give(len(body))
        return self._say(request, *shown(outcomes, several))

    async def _receive(self, request: Request, body: bytearray) -> None:
        """Read the body into `body`, within its limits. Raises `Refusal`."""

        async def read() -> None:
            async for chunk in request.stream():
                self._gate.take(len(chunk))
                body.extend(chunk)
                if len(body) > self._rules.bound(request.headers):
                    raise self._rules.too_large(request.headers)

        try:
            await asyncio.wait_for(read(), self._settings.upload)
        except Busy:
            raise Refusal.come_again() from None
        except TimeoutError:
            raise Refusal(408, TOO_SLOW) from None

    async def _ask(self, picture: bytes) -> Outcome:
        """The outcome for one picture; retried on another replica if one is lost."""
        for pause in (*PAUSES, None):
            try:
                return await self._model.classify.remote(picture)
            except BackPressureError:
                raise Refusal.come_again() from None
            except (RayActorError, DeploymentUnavailableError):
                if pause is None:
                    raise
                await asyncio.sleep(pause)
        raise AssertionError  # the last try returns or raises

    async def _models(self, request: Request) -> Response:
        if not await self._know():
            raise Refusal.late()
        return self._say(request, 200, {"models": [self._summary]})

    async def _describe(self, request: Request) -> Response:
        return self._say(request, 200, describe(self._settings, metrics=False))

    async def _health(self, request: Request) -> Response:
        missing = [] if await self._know() else ["classifier"]
        status = {"status": "not ready" if missing else "ready", "missing": missing}
        headers = {"Retry-After": "2"} if missing else {}
        return self._say(request, 503 if missing else 200, status, headers)

    async def _know(self) -> bool:
        """Whether a replica has sent its summary lately; busy ones need not."""
        try:
            self._summary = await asyncio.wait_for(self._told_by_one(), SOON)
            self._told = time.monotonic()
        except (TimeoutError, BackPressureError):
            return bool(self._summary) and time.monotonic() - self._told < FRESH
        except (RayActorError, DeploymentUnavailableError):
            return False
        return True

    async def _told_by_one(self) -> dict[str, Any]:
        return await self._model.summary.remote()

    def _options(self, request: Request, methods: str) -> Response:
        """Answer a CORS preflight request."""
        headers = {"Allow": methods}
        if self._rules.allowed_origin(request.headers):
            headers |= {
                "Access-Control-Allow-Methods": methods.removesuffix(", OPTIONS"),
                "Access-Control-Allow-Headers": "Authorization, Content-Type",
                "Access-Control-Max-Age": "600",
            }
        return self._say(request, 204, None, headers)

    def _say(
        self,
        request: Request,
        status: int,
        message: object | None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        whole = {**HEADERS, **(headers or {})}
        if origin := self._rules.allowed_origin(request.headers):
            whole["Access-Control-Allow-Origin"] = origin
        if message is None:
            return Response(status_code=status, headers=whole)
        return Response(as_json(message), status, whole, JSON)
