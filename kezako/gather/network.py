"""Connect to public IP addresses only, checked at the moment of connecting."""

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

# Everything that is not the public internet, from IANA's registries of special-purpose addresses.
# Listed here because `ipaddress.is_global` differs between releases of Python.
_NOT_PUBLIC_4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this host and network
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT
            "127.0.0.0/8",
            "168.63.129.16/32",  # inside Azure, serves a machine's settings
            "169.254.0.0/16",  # link-local; clouds serve credentials at 169.254.169.254
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocol assignments; Oracle Cloud's metadata is at 192.0.0.192
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
_UNICAST = ipaddress.IPv6Network("2000::/3")  # nothing outside it is public
_NOT_PUBLIC_6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments, including Teredo and benchmarks
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: contains an IPv4 address; its relays are gone
            "3fff::/20",  # documentation
        ),
    )
)
# These hold an IPv4 address in the last 32 bits: IPv4-mapped addresses, and NAT64, with which an
# IPv6-only network reaches IPv4. All other ways to embed one are outside `_UNICAST`.
_EMBEDDING = tuple(map(ipaddress.IPv6Network, ("::ffff:0:0/96", "64:ff9b::/96")))
_ISATAP = (0x00005EFE, 0x02005EFE)  # bits 64 to 95; the IPv4 address follows
_PRIVATE_NAMES = (".localhost", ".local", ".internal", ".home.arpa", ".lan", ".intranet")


class PrivateAddress(Exception):
    """A name that resolves into a private network; the message says to which address."""


class NoSuchHost(Exception):
    """A name without any address."""


class NoProxy(Exception):
    """The proxy itself cannot be reached; the URL is not at fault."""


class ToProxy(httpcore.AnyIOBackend):
    """Connects to a proxy at any address; its failures raise `NoProxy`."""

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

    This prevents DNS rebinding, where a name resolves to a private address a moment later.
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
    """An SSL context that trusts `ca`, too. Raises `KezakoError` if it has no certificates."""
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
    """Whether an IP address, as text, is in the public internet.

    False for one with a zone ("%eth0"). Raises `ValueError` if it is not an IP address.
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

    Where a proxy resolves the names, this is all that can be checked. A name without a dot belongs
    to the local network.
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
