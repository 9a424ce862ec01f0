"""Messages between the server, the zygote that forks kernels, and those kernels.

A message is its length in four bytes, big-endian, then JSON. Both ends belong to the same server.
"""

from __future__ import annotations

import json
import socket
import struct
from asyncio import IncompleteReadError, StreamReader
from typing import Any

from jupyter_client.jsonutil import json_default

Message = dict[str, Any]
ADDRESS = "127.0.0.1"  # where forked kernels listen
KERNEL, AGAIN = b"k", b"a"  # what a zygote forks: a kernel, or a zygote that runs the cells again
_LENGTH = struct.Struct("!I")


def encode(message: Message) -> bytes:
    """The bytes of `message`, length first."""
    body = json.dumps(message, default=json_default).encode()
    return _LENGTH.pack(len(body)) + body


def send(end: socket.socket, message: Message) -> None:
    """Send `message`; blocks. Raises `OSError` if the other end is gone."""
    end.sendall(encode(message))


def receive(end: socket.socket) -> Message:
    """The next message; blocks. Raises `EOFError` if the other end is gone."""
    (length,) = _LENGTH.unpack(_exactly(end, _LENGTH.size))
    return json.loads(_exactly(end, length))


async def read(reader: StreamReader) -> Message:
    """The next message. Raises `EOFError` if the other end is gone."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        return json.loads(await reader.readexactly(length))
    except (IncompleteReadError, ConnectionError) as error:
        raise EOFError from error


def _exactly(end: socket.socket, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        if not (part := end.recv(length - len(parts))):
            raise EOFError
        parts += part
    return bytes(parts)
