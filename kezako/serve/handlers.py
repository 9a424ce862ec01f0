"""HTTP handlers: the page for admitted visitors, a waiting page for others, and leaving."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from jupyter_core.utils import ensure_async
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

from kezako.api.concurrency import neighbourhood
from kezako.serve.admission import LOOK_AGAIN, Session, Waiting
from kezako.serve.links import Link, is_preview
from kezako.serve.notices import WAITING, notice
from kezako.serve.security import Sentences, policy
from kezako.serve.sessions import SessionManager
from kezako.serve.site import SiteHandler
from kezako.serve.websocket import GONE
from kezako.words import Words, words
from voila_snapshot.pages import PageHandler

TICKET = "ticket"  # in the URL, because a frame in another site gets no cookies
LONGEST = 3600  # seconds; about a longer wait nothing is said
PREVIEWED = 600  # seconds for which a link preview may be kept
BOOT = "Boot-Id"  # a header that is another after each start of the server


class EntryHandler(SiteHandler, PageHandler):
    """The page, if there is a free place; else the waiting page.

    A link preview or a search engine gets title, prompt and classes as plain HTML, which takes
    neither a place nor a kernel.
    """

    session: Session | None = None
    _link: Link | None = None

    def initialize(self, host: SessionManager, **arguments: Any) -> None:  # type: ignore[override]
        super().initialize(**arguments)
        self.host = host

    @property
    def words(self) -> Words:
        """The page's words, in the classifier's language if it has one, else the visitor's."""
        return words(self._link.language) if self._link else super().words

    @property
    def kernel_manager(self) -> Any:
        """The server's kernel manager; a kernel started through it is recorded as the visitor's."""
        return _Noting(super().kernel_manager, self)

    def head_html(self) -> str:
        return self._link.head() if self._link else ""

    async def get(self, path: str | None = None) -> None:
        ticket = _take_ticket(self.request)
        model = self.get_query_argument("model", "")
        if model and model not in self.cards.names():
            self.refuse(model)
            return
        self._link = self.link(model)
        if self._link and is_preview(self.request.headers.get("User-Agent", "")):
            self._preview(self._link)
            return
        if not self.host.ready():
            said, heading = self.words("warming_up"), self.words("one_moment")
            self._wait(said, heading=heading, again=2, ticket=ticket)
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

    def _preview(self, link: Link) -> None:
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_header("Cache-Control", f"public, max-age={PREVIEWED}")
        self.set_header("Vary", "User-Agent, Accept-Language")
        self.finish(
            notice(
                link.prompt, say=self.words, title=link.title, head=link.head(),
                names=link.names, home=link.base + link.query,
            )
        )  # fmt: skip

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
        if found.ticket and found.seconds is not None:
            said = " ".join(filter(None, (said, _about(found.seconds, say))))
        again = LOOK_AGAIN if found.ticket else 12 * LOOK_AGAIN
        heading = say("one_page_too_many" if found.crowded else "places_taken")
        self._wait(said, heading=heading, again=again, ticket=found.ticket)

    def _wait(self, text: str, *, heading: str, again: int, ticket: str) -> None:
        query = [*parse_qsl(self.request.query), *([(TICKET, ticket)] if ticket else [])]
        where = "?" + urlencode(query) if query else self.request.path
        self.set_header("Retry-After", str(again))
        allowed = policy(self.host.limits.frame_ancestors, scripts=WAITING)
        self.set_header("Content-Security-Policy", allowed)
        title = {"title": self._link.title} if self._link else {}
        self.say(503, text, heading=heading, again=again, where=where, **title)


def _about(seconds: float, say: Words) -> str:
    """The sentence that says how long a wait takes; empty for a very long one."""
    if seconds > LONGEST:
        return ""
    minutes = max(1, round(seconds / 60))
    return say("queue_minute") if minutes == 1 else say("queue_minutes", count=minutes)


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
        self.set_header(BOOT, self.settings["kezako_boot"])  # after a restart, no kernel is known
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
