"""A visitor's websocket: what is passed to the kernel and back, and what ends the visit."""

from __future__ import annotations

import re
from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.iostream import StreamBufferFullError
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from kezako.serve.admission import Session
from kezako.serve.messages import V1, Message, NotAllowed, read
from kezako.serve.security import SORRY, Sentences
from kezako.words import words
from voila_snapshot.rate_limit import RateLimiter

# Close codes 4400 to 4499 are final: the page shows the sentence and offers to start again. The
# last two digits are those of the most similar HTTP status. With each, the sentence's key.
REFUSED = 4403, "ended_refused"
ASLEEP = 4408, "ended_asleep"
REPLACED = 4409, "ended_replaced"
GONE = 4410, "ended"
TOO_HEAVY = 4413, "ended_heavy"
TOO_MUCH = 4429, "ended_flood"
STOPPING = 1001, "ended_stopping"  # not final: the page may reconnect

# Seconds; routers cut connections after 55 silent ones, and pings reveal dead connections.
PING = 25
OPENINGS = 200  # comms that one connection may open; each creates a widget in the kernel
# Bytes, besides one photo, that may be queued for a page that does not read.
UNREAD = 16 * 1024 * 1024

_COLOURS = re.compile(r"\x1b\[[\d;]*m")
_SESSION = re.compile(r"[A-Za-z0-9-]{1,64}")


class VisitorChannels(Sentences, VoilaKernelWebsocketHandler):
    """Voilà's websocket for visitors: widget messages in, replies out."""

    session: Session | None = None
    connection: Any = None
    ping_interval = 0  # turns off Jupyter's own pings, which use milliseconds; see `open`

    def initialize(self, host: Any) -> None:
        super().initialize()
        self.host = host  # `kezako.serve.sessions.SessionManager`

    @property
    def max_message_size(self) -> int:
        return int(self.host.limits.message)

    async def get(self, kernel_id: str) -> None:
        if not self.check_origin():
            raise HTTPError(403)
        if not _SESSION.fullmatch(self.get_query_argument("session_id", "")):
            raise HTTPError(400, "no session")
        await super().get(kernel_id)  # type: ignore[misc]

    async def pre_get(self) -> None:
        session = self.host.visitors.of(self.kernel_id)
        if session is None:
            return
        if session.handshakes.allow(self.host.visitors.clock()):
            self.session = session
            await super().pre_get()
        else:
            self.host.end(session, "flood", TOO_MUCH)

    def get_compression_options(self) -> dict[str, Any]:
        """Compress messages: the widgets' first state is most of what a first visit receives.

        By zlib's own formula (zconf.h) that takes about 200 KB of memory for each visitor.
        """
        return {"compression_level": 6, "mem_level": 6}

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return super().select_subprotocol(subprotocols) if self.connection else None

    async def open(self, kernel_id: str) -> None:
        self.set_nodelay(True)
        self.ws_connection.params.ping_interval = PING
        self.ws_connection.params.ping_timeout = PING
        self.ws_connection.start_pinging()
        # None if the visit ended during the handshake.
        session = self.session = self.host.visitors.of(kernel_id)
        if session is None or self.connection is None:
            # Browsers hide the status of a refused handshake, but not this code.
            self.dismiss(*GONE)
            return
        limits = self.host.limits
        self.ws_connection.stream.max_write_buffer_size = limits.message + UNREAD
        now = self.host.visitors.clock()
        self._limiter = RateLimiter(limits.messages_at_once, limits.messages_a_second, now)
        self._opened_comms = 0
        for older in tuple(session.sockets):
            session.sockets.discard(older)  # what it still sends was cancelled, or is sent again
            older.dismiss(*REPLACED)
        session.sockets.add(self)
        session.opened, session.active = True, now
        await super().open(kernel_id)

    def dismiss(self, code: int, key: str) -> None:
        """Close the connection with a sentence in the visitor's language."""
        self.close(code, self.words(key))

    def on_message(self, ws_message: str | bytes) -> None:
        if self.session is None or self.connection is None:
            return
        if self.host.visitors.of(self.kernel_id) is not self.session:
            return  # the visit has ended; this message was in flight
        if self not in self.session.sockets:
            return  # another connection took this one's place
        now = self.host.visitors.clock()
        if not self._limiter.allow(now):
            self.host.end(self.session, "flood", TOO_MUCH)
            return
        try:
            message = read(ws_message, self.selected_subprotocol)
            self._opened_comms += message["header"]["msg_type"] == "comm_open"
            if self._opened_comms > OPENINGS:
                raise NotAllowed("more comms than a page has")
            super().on_message(ws_message)
        except NotAllowed as error:
            self.host.log.warning("A visitor was refused: %s.", error)
            self.host.end(self.session, "refused", REFUSED)
        except Exception:
            self.host.log.warning("A visitor was refused: a message that could not be passed on.")
            self.host.end(self.session, "refused", REFUSED)
        else:
            if message["header"]["msg_type"] in ("comm_msg", "comm_open", "comm_close"):
                self.session.active = now

    def write_message(self, message: Any, binary: bool = False) -> Any:
        try:
            sent = super().write_message(message, binary)
        except StreamBufferFullError:
            if self.session is not None:
                self.host.end(self.session, "unread", TOO_MUCH)
        except WebSocketClosedError:
            pass  # the page left while the kernel was answering
        else:
            # Nobody awaits this future; without the callback, each visitor who left would be
            # logged.
            sent.add_done_callback(lambda done: done.cancelled() or done.exception())
            return sent
        return None

    def on_close(self) -> None:
        session = self.session
        if session is not None and self in session.sockets:
            session.sockets.discard(self)
            session.left = self.host.visitors.clock()
        if self.connection is not None:
            super().on_close()

    def held(self) -> int:
        """Bytes held in the server for this connection: partly received or unsent messages."""
        stream = getattr(self.ws_connection, "stream", None)
        if stream is None:
            return 0
        part = getattr(self.ws_connection, "_fragmented_message_buffer", None) or b""
        unsent = getattr(stream, "_write_buffer", None) or b""  # None once it is closed
        return len(part) + int(getattr(stream, "_read_buffer_size", 0)) + len(unsent)


class VisitorConnection(ZMQChannelsWebsocketConnection):  # type: ignore[misc]
    """Between websocket and kernel: removes tracebacks and other internals from messages."""

    def _on_error(self, channel: str, msg: Message, msg_list: list[Any]) -> None:
        """Write an error's traceback to the log, and send only a sentence to the page."""
        if channel != "iopub":
            return
        msg["header"] = self.get_part("header", msg["header"], msg_list)
        if msg["header"]["msg_type"] == "error":
            content = self.get_part("content", msg["content"], msg_list)
            trace = _COLOURS.sub("", "\n".join(content.get("traceback", [])))
            self.log.error("A page's kernel failed.\n%s", trace)
            msg["content"] = {"ename": "Error", "evalue": words()(SORRY), "traceback": []}
            if self.subprotocol == V1:
                msg_list[3] = self.session.pack(msg["content"])

    def _limit_rate(self, channel: str, msg: Message, msg_list: list[Any]) -> bool:
        """Whether to drop a message: also drops source code and stderr output."""
        msg["header"] = self.get_part("header", msg["header"], msg_list)
        kind = msg["header"]["msg_type"]
        if kind == "stream":
            msg["content"] = self.get_part("content", msg["content"], msg_list)
            if msg["content"].get("name") == "stderr":
                return True
        return kind == "execute_input" or bool(super()._limit_rate(channel, msg, msg_list))
