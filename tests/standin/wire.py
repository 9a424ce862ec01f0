"""HTTP/1.1 and TLS on one loopback address, with the freedom to answer wrongly."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

import h2.exceptions
import h11
import trustme

from tests.standin.http2 import Http2
from tests.standin.messages import CHUNK, Answer, Reply, Request


class Wire:
    """Two listeners, plain and TLS; `CONNECT` on the plain one leads to them for every host."""

    def __init__(self, answer: Answer, authority: trustme.CA):
        self._answer = answer
        self._authority = authority
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = self.tls_port = 0
        self.login: str | None = None  # NAME:PASSWORD that the proxy wants

    async def listen(self, port: int = 0) -> None:
        default = self._context("localhost")
        default.sni_callback = self._by_name
        plain = await asyncio.start_server(self._connected, "127.0.0.1", port, backlog=1024)
        tls = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=default, backlog=1024)
        self._servers = [plain, tls]
        self.port, self.tls_port = (s.sockets[0].getsockname()[1] for s in self._servers)

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _by_name(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name:
            with suppress(ValueError):  # a name that no certificate can be made for
                connection.context = self._context(name)

    def _context(self, host: str) -> ssl.SSLContext:
        if host not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            names = (host, "127.0.0.1") if host == "localhost" else (host,)
            self._authority.issue_cert(*names).configure_cert(context)
            offered = ["h2"] if host.startswith("http2") else []
            context.set_alpn_protocols([*offered, "http/1.1"])
            self._contexts[host] = context
        return self._contexts[host]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            tls = writer.get_extra_info("ssl_object")
            if tls and tls.selected_alpn_protocol() == "h2":
                await Http2(self._answer, reader, writer).converse()
            else:
                await self._converse(reader, writer)
        except (OSError, h11.ProtocolError, h2.exceptions.ProtocolError):
            pass  # the client went away, or does not speak HTTP: its own affair
        except asyncio.CancelledError:
            pass  # the server stops
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        while True:
            asked = await _next_request(connection, reader)
            if asked is None:
                return
            if self._locked(asked):
                await _send(connection, writer, Reply(b"Who is it?", 407))
                return
            if asked.method == b"CONNECT":
                await self._tunnel(asked.target.decode(), reader, writer)
                return
            request = _request(asked, writer.get_extra_info("ssl_object") is not None)
            if not await _send(connection, writer, await self._answer(request)):
                return
            connection.start_next_cycle()

    def _locked(self, asked: h11.Request) -> bool:
        given = dict(asked.headers).get(b"proxy-authorization", b"")
        wanted = b64encode((self.login or "").encode())
        as_proxy = asked.method == b"CONNECT" or asked.target.startswith(b"http")
        return bool(self.login) and as_proxy and given != b"Basic " + wanted

    async def _tunnel(
        self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        port = self.port if target.endswith(":80") else self.tls_port
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))


async def _next_request(
    connection: h11.Connection, reader: asyncio.StreamReader
) -> h11.Request | None:
    request: h11.Request | None = None
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(CHUNK))
        elif isinstance(event, h11.Request):
            request = event
            if request.method == b"CONNECT":
                return request
        elif isinstance(event, h11.ConnectionClosed):
            return None
        elif isinstance(event, h11.EndOfMessage):
            return request


def _request(asked: h11.Request, tls: bool) -> Request:
    headers = {name.decode(): value.decode("latin-1") for name, value in asked.headers}
    target = urlsplit(asked.target.decode("latin-1"))
    host = target.netloc or headers.get("host", "")
    query = dict(parse_qsl(target.query, keep_blank_values=True))
    return Request(
        host.rsplit(":", 1)[0].lower(),
        target.path or "/",
        query,
        headers,
        proxied=tls or bool(target.netloc),
    )


async def _send(connection: h11.Connection, writer: asyncio.StreamWriter, reply: Reply) -> bool:
    """Send `reply`; whether the connection can serve another request."""
    if reply.drop:
        writer.transport.abort()
        return False
    if reply.raw is not None:
        writer.write(reply.raw)
        await writer.drain()
        return False
    headers = dict(reply.headers)
    if reply.content_type is not None:
        headers["Content-Type"] = reply.content_type
    if reply.stream is None:
        length = len(reply.body) if reply.length is None else reply.length
        headers["Content-Length"] = str(length)
    head = h11.Response(status_code=reply.status, headers=list(headers.items()))
    writer.write(connection.send(head) or b"")
    if reply.stream is not None:
        async for chunk in reply.stream:
            writer.write(connection.send(h11.Data(data=chunk)) or b"")
            await writer.drain()
    elif reply.body:
        writer.write(connection.send(h11.Data(data=reply.body)) or b"")
    await writer.drain()
    if reply.length is not None and reply.length != len(reply.body):
        return False
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    await writer.drain()
    return connection.our_state is not h11.MUST_CLOSE


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
