"""Fetch pictures: many at once, few from one host, nothing believed, every failure a reason.

On httpcore, the engine of httpx, because it takes the network backend that checks addresses
(`network`) as an argument; httpx would hide it. Its successor httpcore2 needs Python 3.11.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakValueDictionary

import httpcore
import httpx

from kezako import __version__
from kezako.gather.check import Reject
from kezako.gather.network import (
    NoSuchHost,
    PrivateAddress,
    PublicOnly,
    refuse_private_literal,
)
from kezako.gather.settings import Settings
from kezako.gather.sniff import forbids_ai, is_picture
from kezako.manifest import Status

R = TypeVar("R")
_RETRIED = {408, 429, 500, 502, 503, 504}  # what may pass
_POOLS = 16
_REFUSALS = {401, 402, 403, 407, 451}
_HEADERS = [
    (b"User-Agent", f"Mozilla/5.0 (compatible; kezako/{__version__})".encode()),
    (b"Accept", b"image/avif,image/webp,image/*;q=0.9,*/*;q=0.1"),
    (b"Accept-Encoding", b"identity"),  # pictures are compressed; a gzip bomb would not be one
]


@dataclass(frozen=True)
class Limits:
    """How much is asked of the network at once, and how long it is waited for."""

    at_once: int = 64  # requests under way
    memory: int = 64 * 2**20  # bytes of pictures fetched and not yet checked
    per_host: int = 6  # as a browser does; many hosts are somebody's small server
    max_bytes: int = 20 * 2**20  # of one picture; a phone's largest has 12 MB
    large: int = 2 * 2**20  # bytes above which a picture waits for one of `large_at_once` places
    large_at_once: int = 6
    connect: float = 10.0  # seconds
    silence: float = 10.0  # seconds without a byte
    whole: float = 30.0  # seconds for one attempt, redirects included: ends a slow drip
    waits: tuple[float, ...] = (0.5,)  # seconds before a second attempt; there are other pictures
    longest_wait: float = 15.0  # seconds; a site that asks for more is left
    redirects: int = 5


class _Failed(Exception):
    """One attempt's failure."""

    def __init__(
        self,
        reason: str,  # "what: detail"
        status: Status = "broken",
        again: bool = False,  # it may pass
        after: float = 0.0,  # seconds the site asks to wait
    ):
        super().__init__(reason)
        self.reject = Reject(status, reason)
        self.again, self.after = again, after


class _Host:
    def __init__(self, at_once: int):
        self.places = asyncio.Semaphore(at_once)
        self.not_before = 0.0  # loop time; what Retry-After asked for


class _Memory:
    """Bytes that may be held at once; who wants more waits."""

    def __init__(self, size: int):
        self._left = size
        self._given = asyncio.Event()

    async def take(self, size: int) -> None:
        while self._left < size:
            self._given.clear()
            await self._given.wait()
        self._left -= size

    def give(self, size: int) -> None:
        self._left += size
        self._given.set()


class Fetcher:
    """`async with Fetcher(settings) as fetcher: await fetcher.fetch(url, check)`."""

    def __init__(
        self,
        settings: Settings,
        respect_noai: bool = True,  # leave pictures whose site says X-Robots-Tag: noai
        limits: Limits | None = None,
    ):
        self._settings, self._limits = settings, limits or Limits()
        self._respect_noai = respect_noai
        self._places = asyncio.Semaphore(self._limits.at_once)
        self._memory = _Memory(self._limits.memory)
        self._large = asyncio.Semaphore(self._limits.large_at_once)
        self._hosts: WeakValueDictionary[bytes, _Host] = WeakValueDictionary()
        # A pool looks at all its connections for each request, so hosts are spread over several.
        certificates = _certificates(settings)
        self._pools = [self._new_pool(certificates) for _ in range(_POOLS)]

    def _new_pool(self, certificates: ssl.SSLContext) -> httpcore.AsyncConnectionPool:
        return httpcore.AsyncConnectionPool(
            ssl_context=certificates,
            proxy=_proxy(self._settings, certificates),
            max_connections=self._limits.at_once,
            max_keepalive_connections=self._limits.at_once // 4,
            keepalive_expiry=10.0,
            http2=True,
            network_backend=None if self._unchecked else PublicOnly(),
        )

    @property
    def _unchecked(self) -> bool:
        # Behind a proxy the only address this machine connects to is the proxy's.
        return self._settings.allow_private or self._settings.proxy is not None

    async def __aenter__(self) -> Fetcher:
        return self

    async def __aexit__(self, *_: object) -> None:
        for pool in self._pools:
            await pool.aclose()

    async def fetch(
        self,
        address: str,
        then: Callable[[bytes], Awaitable[R]],  # until it returns, the bytes count as in memory
    ) -> R | Reject:
        """What `then` makes of the picture at `address`; a `Reject` where there is none."""
        try:
            url = _parsed(address)
        except _Failed as failed:
            return failed.reject
        host = self._hosts.setdefault(url.netloc, _Host(self._limits.per_host))
        waits = iter(self._limits.waits)
        while True:
            try:
                async with host.places, self._places:
                    body = await self._attempt(url)
                    await self._memory.take(len(body))
                try:
                    return await then(body)
                finally:
                    self._memory.give(len(body))
            except _Failed as failed:
                wait = next(waits, None)
                if not failed.again or wait is None or failed.after > self._limits.longest_wait:
                    return failed.reject
                await self._pause(host, wait, failed.after)

    async def _pause(self, host: _Host, wait: float, asked: float) -> None:
        now = asyncio.get_running_loop().time()
        factor = self._settings.pause
        host.not_before = max(host.not_before, now + asked * factor)
        wait = wait * factor * random.uniform(1.0, 1.5)  # so that a host's retries spread out
        await asyncio.sleep(max(wait, host.not_before - now))

    async def _attempt(self, url: httpx.URL) -> bytes:
        try:
            return await asyncio.wait_for(self._follow(url), self._limits.whole)
        except asyncio.TimeoutError:
            raise _Failed(f"too slow: not whole after {self._limits.whole:g} seconds") from None
        except PrivateAddress as error:
            raise _Failed(f"private address: {error}", "refused") from error
        except NoSuchHost as error:
            raise _Failed(f"no such host: {error}") from error
        except httpcore.ConnectTimeout as error:
            raise _Failed("not reached: no connection in time", again=True) from error
        except (httpcore.ConnectError, httpcore.ProxyError) as error:
            raise _Failed(f"not reached: {_plain(error)}", again=not _is_tls(error)) from error
        except httpcore.TimeoutException as error:
            raise _Failed("no answer: silent for too long", again=True) from error
        except (httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
            raise _Failed(f"cut off: {_plain(error)}", again=True) from error
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, ssl.SSLError) as error:
            raise _Failed(f"no sense: {_plain(error)}") from error

    async def _follow(self, url: httpx.URL) -> bytes:
        for _ in range(self._limits.redirects + 1):
            answer = await self._ask(url)
            if isinstance(answer, bytes):
                return answer
            url = _parsed(answer, url)
        raise _Failed(f"redirects: more than {self._limits.redirects}")

    async def _ask(self, url: httpx.URL) -> bytes | str:
        """The picture, or the address that the site names instead."""
        if not self._settings.allow_private:
            refuse_private_literal(url.host)
        limits = self._limits
        timeout = {"connect": limits.connect, "read": limits.silence, "write": limits.silence,
                   "pool": None}  # fmt: skip
        target = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        pool = self._pools[hash(url.netloc) % _POOLS]
        async with pool.stream(
            "GET", target, headers=_HEADERS, extensions={"timeout": timeout}
        ) as response:
            headers = httpx.Headers(response.headers)
            if response.status in (301, 302, 303, 307, 308) and "Location" in headers:
                return headers["Location"]
            _accept(response.status, headers)
            if self._respect_noai and (words := forbids_ai(headers.get_list("X-Robots-Tag"))):
                raise _Failed(f"no AI use: the site says {words}", "refused")
            return await self._read(response, headers)

    async def _read(self, response: httpcore.Response, headers: httpx.Headers) -> bytes:
        too_large = _Failed(f"too large: more than {self._limits.max_bytes >> 20} MB", "refused")
        announced = headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced[:20]) > self._limits.max_bytes:
            raise too_large
        body = bytearray()
        async with AsyncExitStack() as held:
            waits_for_place = True
            async for chunk in response.aiter_stream():
                sniffed = len(body) >= 64
                body += chunk
                if not sniffed and len(body) >= 64 and not is_picture(body):
                    break
                if len(body) > self._limits.max_bytes:
                    raise too_large
                if waits_for_place and len(body) > self._limits.large:
                    waits_for_place = False
                    await held.enter_async_context(self._large)
        if not is_picture(body):
            raise _Failed(f"not a picture: {_plain(headers.get('Content-Type', 'no type'))}")
        return bytes(body)


def _parsed(address: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        url = base.join(address) if base else httpx.URL(address)
    except (httpx.InvalidURL, ValueError) as error:
        raise _Failed(f"no address: {_plain(error)}", "refused") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise _Failed(f"no address: {_plain(url.scheme or 'nothing')} is not fetched", "refused")
    return url


def _accept(status: int, headers: httpx.Headers) -> None:
    if status == 200:
        return
    if status in _RETRIED:
        after = seconds_to_wait(headers.get("Retry-After"))
        what = "limited by the site" if status == 429 else "server error"
        kept_waiting = f", asks to wait {after:.0f} seconds" if after else ""
        refused: Status = "refused" if status == 429 else "broken"
        raise _Failed(f"{what}: {status}{kept_waiting}", refused, again=True, after=after)
    if status in _REFUSALS:
        raise _Failed(f"refused by the site: {status}", "refused")
    if status in (404, 410):
        raise _Failed(f"not found: {status}")
    raise _Failed(f"server error: {status}" if status >= 500 else f"unexpected answer: {status}")


def seconds_to_wait(retry_after: str | None) -> float:
    """The header `Retry-After`, a number or a date, in seconds from now; 0 where it says none."""
    from kezako.gather.sources.pace import seconds_of

    return seconds_of(retry_after) or 0.0


def _certificates(settings: Settings) -> ssl.SSLContext:
    context = httpcore.default_ssl_context()
    if settings.ca:
        context.load_verify_locations(cafile=str(settings.ca))
    return context


def _proxy(settings: Settings, certificates: ssl.SSLContext) -> httpcore.Proxy | None:
    if settings.proxy is None:
        return None
    url = httpx.URL(settings.proxy)
    login = (url.username, url.password) if url.username else None
    where = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target="/")
    return httpcore.Proxy(where, auth=login, ssl_context=certificates)


def _is_tls(error: BaseException) -> bool:
    return isinstance(error.__cause__ or error.__context__, ssl.SSLError) or "SSL" in str(error)


def _plain(text: object) -> str:
    """One short printable line of what a stranger's server or a library said."""
    line = "".join(c if c.isprintable() else " " for c in str(text))
    return line[:120].strip() or type(text).__name__
