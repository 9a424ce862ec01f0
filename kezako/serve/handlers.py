"""HTTP handlers: the page for admitted visitors, a waiting page for others, and leaving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from jupyter_core.utils import ensure_async
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

from kezako.api.concurrency import neighbourhood
from kezako.model.wording import short
from kezako.serve.admission import LOOK_AGAIN, Session, Waiting
from kezako.serve.security import Sentences
from kezako.serve.sessions import SessionManager
from kezako.serve.websocket import GONE
from voila_snapshot.pages import PageHandler

TICKET = "ticket"  # in the URL, because a frame in another site gets no cookies


class EntryHandler(Sentences, PageHandler):
    """The page, if there is a free place; else the waiting page."""

    session: Session | None = None

    def initialize(
        self, host: SessionManager, models: Callable[[], list[str]], **arguments: Any
    ) -> None:
        super().initialize(**arguments)
        self.host, self.models = host, models

    @property
    def kernel_manager(self) -> Any:
        """The server's kernel manager; a kernel started through it is recorded as the visitor's."""
        return _Noting(super().kernel_manager, self)

    async def get(self, path: str | None = None) -> None:
        ticket = _take_ticket(self.request)
        model = self.get_query_argument("model", "")
        if model and model not in self.models():
            said = self.words("no_classifier", name=repr(short(model)))
            self.say(404, said, home=self.settings["base_url"])
            return
        if not self.host.ready():
            said, title = self.words("warming_up"), self.words("one_moment")
            self._wait(said, title=title, again=2, ticket=ticket)
            return
        found = self.host.visitors.admit(neighbourhood(str(self.request.remote_ip)), ticket)
        if isinstance(found, Waiting):
            self._queue(found)
            return
        self.session = found
        found.model = model
        try:
            await super().get(path)  # type: ignore[misc]
        except BaseException:
            self.host.end(found, "failed")
            raise
        if not found.kernel:
            self.host.end(found, "failed")

    def on_connection_close(self) -> None:
        """Free the place if the visitor leaves before the page is sent."""
        super().on_connection_close()
        if self.session is not None:
            self.host.end(self.session, "left")

    async def head(self, path: str | None = None) -> None:
        """The headers of `get`, without starting a kernel: hosts and link previews send HEAD."""
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        self.finish()

    def _queue(self, found: Waiting) -> None:
        self.host.turned_away += 1
        say = self.words
        if found.crowded:
            said = say("crowded")
        elif not found.ticket:
            said = say("queue_full")
        elif found.before == 0:
            said = say("queue_next")
        else:
            said = say("queue_one" if found.before == 1 else "queue_many", count=found.before)
        again = LOOK_AGAIN if found.ticket else 12 * LOOK_AGAIN
        title = say("one_page_too_many" if found.crowded else "places_taken")
        self._wait(said, title=title, again=again, ticket=found.ticket)

    def _wait(self, text: str, *, title: str, again: int, ticket: str) -> None:
        query = [*parse_qsl(self.request.query), *([(TICKET, ticket)] if ticket else [])]
        where = "?" + urlencode(query) if query else self.request.path
        self.set_header("Retry-After", str(again))
        self.say(503, text, title=title, again=again, where=where)


class _Noting:
    """Wraps a kernel manager and records whose kernel it starts, before the page can use it."""

    def __init__(self, kernels: Any, entry: EntryHandler) -> None:
        self._kernels, self._entry = kernels, entry

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kernels, name)

    async def start_kernel(self, **settings: Any) -> str:
        kernel: str = await ensure_async(self._kernels.start_kernel(**settings))
        if self._entry.session is not None:
            self._entry.host.give(self._entry.session, kernel)
        return kernel


class LeaveHandler(Sentences):
    """A page reports that its tab was closed, or asks whether its kernel is alive.

    There is no cookie or token: kernel ids are random and only sent to their own page, so knowing
    one is enough. Requests that the browser marks as coming from another site are refused.
    """

    def initialize(self, host: SessionManager) -> None:
        self.host = host

    def prepare(self) -> None:
        if self.request.method != "GET" and _is_foreign(self.request):
            raise HTTPError(403)

    def post(self, kernel_id: str) -> None:
        session = self.host.visitors.of(kernel_id)
        if session is not None:
            self.host.end(session, "left", GONE)
        self.set_status(204)

    def get(self, kernel_id: str) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_status(204 if self.host.visitors.of(kernel_id) else 404)

    head = get


def _is_foreign(request: HTTPServerRequest) -> bool:
    """Whether a page of another site sent this request."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and origin.lower().partition("://")[2] != request.host.lower()


def _take_ticket(request: HTTPServerRequest) -> str:
    """Take the waiting page's ticket out of the request, so that the notebook does not see it."""
    fields = parse_qsl(request.query, keep_blank_values=True)
    ticket = next((value for name, value in fields if name == TICKET), "")
    if ticket:
        request.query = urlencode([(name, value) for name, value in fields if name != TICKET])
        request.uri = request.path + ("?" + request.query if request.query else "")
        for arguments in (request.arguments, request.query_arguments):
            arguments.pop(TICKET, None)
    return ticket
