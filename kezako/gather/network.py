"""Connections to public addresses only, checked at the moment of connecting."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import TypeAlias

import httpcore

_IP: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # an IPv4 address in its last 32 bits


class PrivateAddress(Exception):
    """A name that leads into a private network; the message says where to."""


class NoSuchHost(Exception):
    """A name that no address belongs to."""


class PublicOnly(httpcore.AsyncNetworkBackend):
    """Resolves a name once, checks the addresses, and connects to exactly those.

    A name that resolves differently a moment later (DNS rebinding) therefore gains nothing.
    """

    def __init__(self) -> None:
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        *others, last = await _public_addresses(host, port)
        for address in others:
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(last, port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise PrivateAddress(f"{path} is a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


def is_public(address: str) -> bool:
    """Whether an IP address, written out, lies in the public internet."""
    ip: _IP = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def refuse_private_literal(host: str) -> None:
    """Raise `PrivateAddress` for an IP address or `localhost`; other names pass unresolved.

    All that can be done where a proxy resolves the names.
    """
    literal = host.strip("[]").rstrip(".")
    if literal == "localhost" or literal.endswith((".localhost", ".internal", ".local")):
        raise PrivateAddress(f"{host} is a name of a private network")
    with suppress(OSError, UnicodeError):
        # inet_aton also reads 127.1, 0x7f000001 and 2130706433, as proxies do.
        literal = socket.inet_ntoa(socket.inet_aton(literal))
    try:
        public = is_public(literal)
    except ValueError:
        return
    if not public:
        raise PrivateAddress(f"{host} is not in the public internet")


async def _public_addresses(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        if getattr(error, "errno", None) == socket.EAI_AGAIN:
            raise httpcore.ConnectError("the name server does not answer") from error
        raise NoSuchHost(host) from error
    addresses = list(dict.fromkeys(str(info[4][0]) for info in infos))
    public = [address for address in addresses if is_public(address)]
    if not public:
        raise PrivateAddress(f"{host} leads to {addresses[0]}")
    return public
