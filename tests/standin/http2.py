"""The same answers over HTTP/2, for hosts whose name begins with "http2"."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl, urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    RequestReceived,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError

from tests.standin.messages import CHUNK, Answer, Reply, Request


class Http2:
    """One connection; its requests are answered side by side."""

    def __init__(self, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._answer, self._reader, self._writer = answer, reader, writer
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._room = asyncio.Event()  # set when the client lets us send more
        self._streams: dict[int, asyncio.Task[None]] = {}

    async def converse(self) -> None:
        self._h2.initiate_connection()
        self._flush()
        try:
            while data := await self._reader.read(CHUNK):
                for event in self._h2.receive_data(data):
                    if isinstance(event, ConnectionTerminated):
                        return
                    self._take(event)
                self._flush()
        finally:
            for task in self._streams.values():
                task.cancel()

    def _take(self, event: object) -> None:
        if isinstance(event, RequestReceived):
            request = _request({str(name): str(value) for name, value in event.headers})
            task = asyncio.create_task(self._serve(event.stream_id, request))
            self._streams[event.stream_id] = task
        elif isinstance(event, StreamReset):
            if event.stream_id in self._streams:
                self._streams.pop(event.stream_id).cancel()
        elif isinstance(event, WindowUpdated):
            self._room.set()

    async def _serve(self, stream: int, request: Request) -> None:
        reply = await self._answer(request)
        try:
            if reply.drop:
                self._h2.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
            else:
                await self._send(stream, reply)
            self._flush()
        except (OSError, ProtocolError):
            pass  # the client went away: its own affair
        self._streams.pop(stream, None)

    async def _send(self, stream: int, reply: Reply) -> None:
        headers = [(":status", str(reply.status))]
        headers += [(name.lower(), value) for name, value in reply.headers.items()]
        if reply.content_type is not None:
            headers.append(("content-type", reply.content_type))
        self._h2.send_headers(stream, headers)
        if reply.stream is None:
            await self._pour(stream, reply.body)
        else:
            async for chunk in reply.stream:
                await self._pour(stream, chunk)
        self._h2.end_stream(stream)

    async def _pour(self, stream: int, body: bytes) -> None:
        while body:
            while not (room := self._h2.local_flow_control_window(stream)):
                self._room.clear()
                await self._room.wait()
            size = min(room, self._h2.max_outbound_frame_size, len(body))
            self._h2.send_data(stream, body[:size])
            self._flush()
            await self._writer.drain()
            body = body[size:]

    def _flush(self) -> None:
        self._writer.write(self._h2.data_to_send())


def _request(headers: dict[str, str]) -> Request:
    target = urlsplit(headers[":path"])
    query = dict(parse_qsl(target.query, keep_blank_values=True))
    host = headers[":authority"].rsplit(":", 1)[0].lower()
    return Request(host, target.path or "/", query, headers, "HTTP/2")
