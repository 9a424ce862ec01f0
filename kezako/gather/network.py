"""Connections to public addresses only, checked at the moment of connecting."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TypeAlias

import httpcore

from kezako.errors import KezakoError

_IP: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

# What is not the public internet, from IANA's registries of special-purpose addresses. Written
# down, since what `ipaddress` calls global differs between releases of Python.
_NOT_PUBLIC_4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this host and network
            "10.0.0.0/8",
            "100.64.0.0/10",  # a provider's own, behind its address translation
            "127.0.0.0/8",
            "168.63.129.16/32",  # answers inside Azure only, and hands out a machine's settings
            "169.254.0.0/16",  # link-local; clouds hand out credentials at 169.254.169.254
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocol assignments; Oracle's metadata is at 192.0.0.192
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_UNICAST = ipaddress.IPv6Network("2000::/3")  # beyond it nothing is public
_NOT_PUBLIC_6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo and benchmarks among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: an IPv4 address within, whose relays are gone
            "3fff::/20",  # documentation
        ),
    )
)
# An IPv4 address in the last 32 bits: as the machine itself writes it, and as a network that
# speaks IPv6 alone reaches the rest. Any other way to write one inside is outside `_UNICAST`.
_EMBEDDING = tuple(map(ipaddress.IPv6Network, ("::ffff:0:0/96", "64:ff9b::/96")))
_ISATAP = (0x00005EFE, 0x02005EFE)  # bits 64 to 95 of an address with an IPv4 address behind them
_PRIVATE_NAMES = (".localhost", ".local", ".internal", ".home.arpa", ".lan", ".intranet")


class PrivateAddress(Exception):
    """A name that leads into a private network; the message says where to."""


class NoSuchHost(Exception):
    """A name that no address belongs to."""


class NoProxy(Exception):
    """The proxy itself cannot be reached; no address is at fault."""


class ToProxy(httpcore.AnyIOBackend):
    """Connects to a proxy, wherever that is, and tells its failures from those of the addresses."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await super().connect_tcp(host, port, timeout, local_address, socket_options)
        except (httpcore.ConnectError, httpcore.ConnectTimeout, ValueError) as error:
            raise NoProxy(str(error) or "no connection in time") from error


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


@cache  # reading the usual authorities takes a fifth of a second
def trusting(
    ca: Path | None,  # PEM file of authorities to trust beside the usual ones
    http2: bool = False,  # which protocols are offered is kept in the context, too
) -> ssl.SSLContext:
    """How certificates are checked. Raises `KezakoError` where `ca` holds none."""
    context = httpcore.default_ssl_context()
    if ca is not None:
        try:
            context.load_verify_locations(cafile=str(ca))
        except (OSError, ssl.SSLError) as error:
            raise KezakoError(
                f"{ca} holds no certificates that can be read ({error.strerror or error}); it has "
                "to be a PEM file. KEZAKO_CA or SSL_CERT_FILE names it."
            ) from error
    return context


def is_public(address: str) -> bool:
    """Whether an IP address, written out, lies in the public internet.

    One with a zone ("%eth0") does not. Raises ValueError for what is no IP address.
    """
    ip: _IP = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_4)
    if ip.scope_id is not None:
        return False
    inner = str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    if any(ip in network for network in _EMBEDDING):
        return is_public(inner)
    if ip not in _UNICAST or any(ip in network for network in _NOT_PUBLIC_6):
        return False
    return int(ip) >> 32 & 0xFFFFFFFF not in _ISATAP or is_public(inner)


def refuse_private_host(
    host: str,  # as it stands in a request: ASCII, an IPv6 address in brackets or not
) -> None:
    """Raise `PrivateAddress` for a private IP address or name; other names pass unresolved.

    All that can be done where a proxy resolves the names. A name without a dot is one of the
    network that asks.
    """
    literal = host.strip("[]").rstrip(".").lower()
    with suppress(OSError, UnicodeError):
        # inet_aton also reads 127.1, 0x7f000001 and 2130706433, as proxies do.
        literal = socket.inet_ntoa(socket.inet_aton(literal))
    try:
        public = is_public(literal)
    except ValueError:
        if ":" in literal or "." not in literal or literal.endswith(_PRIVATE_NAMES):
            raise PrivateAddress(f"{host} is a name of a private network") from None
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
