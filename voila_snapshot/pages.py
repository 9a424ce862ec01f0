"""The visitor's page: rendered once per snapshot by Voilà; then placeholders are replaced."""

from __future__ import annotations

import asyncio
import os
from copy import deepcopy
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from jupyter_core.utils import ensure_async
from nbformat import NotebookNode
from tornado.httputil import split_host_and_port
from tornado.web import authenticated
from voila._version import __version__
from voila.app import Voila
from voila.notebook_renderer import NotebookRenderer
from voila.tornado.handler import TornadoVoilaHandler
from voila.utils import get_page_config

from voila_snapshot import prerender
from voila_snapshot.fork import Fork
from voila_snapshot.snapshot import Snapshot, SnapshotError

if TYPE_CHECKING:
    from voila_snapshot.pool import Snapshots

_ATTEMPTS = 3  # snapshots tried for one visitor
_MOST = 8  # cached pages per snapshot, one for each template and theme in the URL


class Page:
    """The HTML of a page, with a placeholder for the id of the visitor's kernel.

    What stands between two placeholders for the head, the notebook's title, is replaced by the
    handler's own HTML if it has any.
    """

    def __init__(self, html: str, kernel: str, head: str, kernel_name: str):
        self._kernel, self.kernel_name = kernel, kernel_name
        parts = html.split(head)
        self._open = len(parts) == 3  # another template has no such placeholders
        self._before, self._title, self._after = parts if self._open else (html, "", "")

    def html(
        self,
        kernel_id: str,
        head: str = "",  # HTML; see `PageHandler.head_html`
    ) -> str:
        head = (self._open and head) or self._title
        around = self._before.replace(self._kernel, kernel_id)
        return around + head + self._after.replace(self._kernel, kernel_id)


class PageHandler(TornadoVoilaHandler):  # type: ignore[misc]
    """Sends the page of a snapshot with a kernel forked from it, else Voilà's own page.

    `kernel_id` is the visitor's kernel once `get` starts to send the page; None if Voilà itself
    started the kernel. HEAD starts no kernel.
    """

    kernel_id: str | None = None
    page_config_hook: Any  # the server's own, as Voilà sets it
    _hook: Any = None

    def head_html(self) -> str:
        """HTML that the template `kezako` has in its head instead of the notebook's title.

        It may differ for each request. Empty: the title stays.
        """
        return ""

    @authenticated
    async def get(self, path: str | None = None) -> None:
        if not await self._send_page(path):
            self._hook, self.page_config_hook = self.page_config_hook, self._with_head
            await super().get(path)

    @authenticated
    async def head(self, path: str | None = None) -> None:
        self._set_headers()
        await self.finish()

    async def _send_page(self, path: str | None) -> bool:
        snapshots = getattr(self.settings.get("voila"), "snapshots", None)
        if snapshots is None or not self.notebook_path or path or self.prelaunch_hook:
            return False
        environment = self._environment()
        found = await self._forked(snapshots, environment)
        if found is None:
            return False
        page, snapshot, fork = found
        try:
            kernel_id = await ensure_async(
                self.kernel_manager.start_kernel(
                    kernel_name=page.kernel_name, path="", env=environment, forked=(snapshot, fork)
                )
            )
        except BaseException:
            fork.kill()
            raise
        # Its cells have run. In the state "starting", the websocket would poll every 50 ms.
        self.kernel_manager.get_kernel(kernel_id).execution_state = "idle"
        self.kernel_id = kernel_id
        self._set_headers()
        await self.finish(page.html(kernel_id, self.head_html()))
        return True

    def _with_head(self, page_config: dict[str, Any], **context: Any) -> dict[str, Any]:
        """Voilà's page configuration: the only way from a request to the template it renders."""
        if self._hook:
            page_config = self._hook(page_config, **context)
        head = self.head_html()
        return {**page_config, "kezako_head": head} if head else page_config

    async def _forked(
        self, snapshots: Snapshots, environment: dict[str, str]
    ) -> tuple[Page, Snapshot, Fork] | None:
        """A page, its snapshot and a kernel forked from it; None: start an ordinary kernel."""
        why = None
        for _ in range(_ATTEMPTS):
            snapshot = await snapshots.choose(environment)
            if snapshot is None:
                return None
            page = await drawn(self.settings["voila"], snapshot, *self._look())
            try:
                return page, snapshot, await snapshot.fork()
            except SnapshotError as error:  # it was replaced while its page was drawn
                why = error
        self.log.warning("A kernel starts from nothing, because %s.", why)
        return None

    def _look(self) -> tuple[str | None, str | None]:
        """Template and theme from the URL, if they are allowed there."""
        configuration = self.voila_configuration
        template = configuration.allow_template_override == "YES"
        theme = configuration.allow_theme_override == "YES"
        return (
            self.get_argument("template", None) if template else None,
            self.get_argument("theme", None) if theme else None,
        )

    def _set_headers(self) -> None:
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_header("Cache-Control", "no-cache, no-store, must-revalidate")
        self.set_header("Pragma", "no-cache")
        self.set_header("Expires", "0")

    def _environment(self) -> dict[str, str]:
        """The variables that Voilà sets for a kernel about its visitor, named as in RFC 3875."""
        request = self.request
        host, port = split_host_and_port(request.host.lower())
        allowed = {name.lower() for name in self.voila_configuration.http_header_envs}
        headers = {
            f"HTTP_{name.upper().replace('-', '_')}": value
            for name, value in request.headers.items()
            if name.lower() in allowed
        }
        return {
            **os.environ,
            **headers,
            "SCRIPT_NAME": request.path,
            "PATH_INFO": "",
            "QUERY_STRING": request.query,
            "SERVER_SOFTWARE": f"voila/{__version__}",
            "SERVER_PROTOCOL": request.version,
            "SERVER_PORT": str(port or ""),
            "SERVER_NAME": host,
            "VOILA_PREHEAT": "False",
            "VOILA_BASE_URL": self.base_url,
            "VOILA_SERVER_URL": self.settings.get("server_url", "/"),
            "VOILA_REQUEST_URL": request.full_url(),
            "VOILA_APP_PORT": str(port or ""),
        }


def install(handlers: list[Any]) -> list[Any]:
    """Replace Voilà's page handler by `PageHandler` in `handlers`."""
    return [
        (pattern, PageHandler if handler is TornadoVoilaHandler else handler, *rest)
        for pattern, handler, *rest in handlers
    ]


async def drawn(
    server: Voila, snapshot: Snapshot, template: str | None = None, theme: str | None = None
) -> Page:
    """The page of `snapshot`; rendered once and cached."""
    known = snapshot.pages
    if (template, theme) not in known:
        page = asyncio.ensure_future(_draw(server, snapshot, template, theme))
        if len(known) >= _MOST:
            return await page
        known[template, theme] = page
    try:
        return await asyncio.shield(known[template, theme])
    except Exception:
        known.pop((template, theme), None)
        raise


async def _draw(server: Voila, snapshot: Snapshot, template: str | None, theme: str | None) -> Page:
    configuration = server.voila_configuration
    common = {
        "base_url": server.base_url,
        "settings": server.app.settings,
        "log": server.log,
        "voila_configuration": configuration,
    }
    page_config = get_page_config(**common)
    if configuration.page_config_hook:
        page_config = configuration.page_config_hook(
            page_config, **common, notebook_path=server.notebook_path
        )
    renderer = _Renderer(
        snapshot,
        voila_configuration=configuration,
        traitlet_config=server.config,
        notebook_path=server.notebook_path,
        template_paths=server.template_paths,
        config_manager=server.config_manager,
        contents_manager=server.contents_manager,
        base_url=server.base_url,
        kernel_spec_manager=server.kernel_spec_manager,
        page_config=page_config,
        mathjax_config=server.app.settings.get("mathjax_config"),
        mathjax_url=server.app.settings.get("mathjax_url"),
    )
    await renderer.initialize(template=template, theme=theme)
    mark = str(uuid4())
    renderer.resources |= {**prerender.resources(snapshot.state), "kezako_mark": mark}
    html = await renderer.generate_content_str()
    return Page(html, renderer.placeholder, mark, renderer.notebook.metadata.kernelspec.name)


class _Renderer(NotebookRenderer):  # type: ignore[misc]
    """Voilà's renderer for cells that have run, with a placeholder for the kernel id."""

    def __init__(self, snapshot: Snapshot, **settings: Any):
        super().__init__(**settings)
        self.placeholder = str(uuid4())
        self._snapshot = snapshot

    async def load_notebook(self, path: str) -> NotebookNode:
        notebook = deepcopy(self._snapshot.notebook)
        if self.voila_configuration.attempt_fix_notebook:
            return await self.fix_notebook(notebook)
        return notebook

    async def _jinja_kernel_start(self, nb: NotebookNode, **_: Any) -> str:
        return self.placeholder

    async def _jinja_notebook_execute(self, nb: NotebookNode, kernel_id: str) -> None:
        pass

    async def _jinja_cell_generator(self, nb: NotebookNode, kernel_id: str) -> Any:
        for cell in nb.cells:
            yield cell

    _jinja_cell_generator_without_execution = _jinja_cell_generator
