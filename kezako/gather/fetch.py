"""Fetch pictures: many at once, few per host; nothing is trusted, and every failure has a reason.

This uses httpcore, the transport of httpx, because it takes the network backend that checks IP
addresses (`network`) as an argument; httpx would hide it.
"""

from __future__ import annotations

import asyncio
import random
import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import httpcore
import httpx

from kezako import __version__
from kezako.dataset.row import Status
from kezako.errors import KezakoError
from kezako.gather.check import Reject
from kezako.gather.network import (
    NoProxy,
    NoSuchHost,
    PrivateAddress,
    PublicOnly,
    ToProxy,
    refuse_private_host,
    trusting,
)
from kezako.gather.settings import Settings
from kezako.gather.sniff import forbids_ai, is_picture

R = TypeVar("R")
_RETRIED = {408, 429, 500, 502, 503, 504}  # may be temporary
_POOLS = 16
_LOGIN = ("407", "Invalid username/password")  # how an HTTP and a SOCKS proxy ask for a login
_REFUSALS = {401, 402, 403, 407, 451}
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")  # in a request
_HEADERS = [
    (b"User-Agent", f"Mozilla/5.0 (compatible; kezako/{__version__})".encode()),
    (b"Accept", b"image/avif,image/webp,image/*;q=0.9,*/*;q=0.1"),
    # Pictures are compressed already, and this rules out gzip bombs.
    (b"Accept-Encoding", b"identity"),
]


@dataclass(frozen=True)
class Limits:
    """Limits on concurrent requests, sizes and times."""

    at_once: int = 64  # requests in flight
    memory: int = 64 * 2**20  # bytes of pictures fetched and not yet checked
    per_host: int = 6  # requests, as in a browser; many hosts are small servers
    max_bytes: int = 20 * 2**20  # of one picture; a phone's largest has 12 MB
    large: int = 2 * 2**20  # bytes above which a picture waits for one of `large_at_once` places
    large_at_once: int = 6
    connect: float = 10.0  # seconds
    silence: float = 10.0  # seconds without a byte
    whole: float = 30.0  # seconds for one attempt with its redirects: stops a slow trickle
    # Seconds before a second attempt; there is no third, as there are other pictures.
    waits: tuple[float, ...] = (0.5,)
    longest_wait: float = 15.0  # seconds; a site that asks for more is given up
    redirects: int = 5
    silences: int = 12  # in a row; then the host is given up


class ProxyTrouble(KezakoError):
    """The proxy does not work. The URLs are not at fault, so they stay pending for another run."""


class _Failed(Exception):
    """One attempt's failure."""

    def __init__(
        self,
        reason: str,  # "what: detail"
        status: Status = "broken",
        again: bool = False,  # worth a retry
        after: float = 0.0,  # seconds the site asks to wait
        silent: bool = False,  # nothing came, or too little in the time allowed
        # Raised instead of a reject, since the URL is not at fault.
        trouble: ProxyTrouble | None = None,
    ):
        super().__init__(reason)
        self.reject = Reject(status, reason)
        self.again, self.after, self.silent, self.trouble = again, after, silent, trouble


class _Host:
    def __init__(self, at_once: int):
        self.places = asyncio.Semaphore(at_once)
        self.not_before = 0.0  # loop time; what Retry-After asked for
        self.silences = 0  # since its last answer


class _Memory:
    """A budget of bytes in memory; `take` waits until enough is free."""

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
        respect_noai: bool = True,  # skip pictures whose site sends X-Robots-Tag: noai
        limits: Limits | None = None,
    ):
        self._settings, self._limits = settings, limits or Limits()
        self._respect_noai = respect_noai
        self._places = asyncio.Semaphore(self._limits.at_once)
        self._memory = _Memory(self._limits.memory)
        self._large = asyncio.Semaphore(self._limits.large_at_once)
        self._hosts: WeakValueDictionary[bytes, _Host] = WeakValueDictionary()
        self._certificates = trusting(settings.ca, http2=True)
        self._pools: dict[tuple[str | None, int], httpcore.AsyncConnectionPool] = {}

    def _pool(self, url: httpx.URL) -> httpcore.AsyncConnectionPool:
        # A pool looks through all its connections for each request, so hosts are spread over
        # several pools.
        proxy = self._settings.proxies.towards(str(url))
        key = proxy, hash(url.netloc) % _POOLS
        if key not in self._pools:
            self._pools[key] = self._new_pool(proxy)
        return self._pools[key]

    def _new_pool(self, proxy: str | None) -> httpcore.AsyncConnectionPool:
        backend: httpcore.AsyncNetworkBackend | None = PublicOnly()
        if proxy:  # this machine then only connects to the proxy
            backend = ToProxy()
        elif self._settings.allow_private:
            backend = None
        return httpcore.AsyncConnectionPool(
            ssl_context=self._certificates,
            proxy=_proxy(proxy, self._certificates) if proxy else None,
            max_connections=self._limits.at_once,
            max_keepalive_connections=self._limits.at_once // 4,
            keepalive_expiry=10.0,
            http2=True,
            network_backend=backend,
        )

    async def __aenter__(self) -> Fetcher:
        return self

    async def __aexit__(self, *_: object) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    async def fetch(
        self,
        address: str,
        then: Callable[[bytes], Awaitable[R]],  # until it returns, the bytes count as in memory
    ) -> R | Reject:
        """The result of `then` for the picture at `address`; a `Reject` if there is none.

        Raises `ProxyTrouble` and whatever `then` raises. Nothing that a URL or server does raises.
        """
        try:
            url = _parsed(address)
        except _Failed as failed:
            return failed.reject
        host = self._hosts.setdefault(url.netloc, _Host(self._limits.per_host))
        waits = iter(self._limits.waits)
        while True:
            try:
                async with host.places, self._places:
                    body = await self._attempt(url, host)
                    await self._memory.take(len(body))
                try:
                    return await then(body)
                finally:
                    self._memory.give(len(body))
            except _Failed as failed:
                wait = next(waits, None)
                if not failed.again or wait is None or failed.after > self._limits.longest_wait:
                    if failed.trouble:
                        raise failed.trouble from failed
                    return failed.reject
                await self._pause(host, wait, failed.after)

    async def _pause(self, host: _Host, wait: float, asked: float) -> None:
        now = asyncio.get_running_loop().time()
        factor = self._settings.pause
        host.not_before = max(host.not_before, now + asked * factor)
        wait = wait * factor * random.uniform(1.0, 1.5)  # so that a host's retries spread out
        await asyncio.sleep(max(wait, host.not_before - now))

    async def _attempt(self, url: httpx.URL, host: _Host) -> bytes:
        if host.silences >= self._limits.silences:
            raise _Failed(f"no answer: its host was silent {host.silences} times")
        try:
            body = await self._whole(url)
        except _Failed as failed:
            host.silences = host.silences + 1 if failed.silent else 0
            raise
        host.silences = 0
        return body

    async def _whole(self, url: httpx.URL) -> bytes:
        try:
            return await asyncio.wait_for(self._follow(url), self._limits.whole)
        except _Failed:
            raise
        except TimeoutError:
            slow = f"too slow: not whole after {self._limits.whole:g} seconds"
            raise _Failed(slow, silent=True) from None
        except PrivateAddress as error:
            raise _Failed(f"private address: {_plain(error)}", "refused") from error
        except NoSuchHost as error:
            raise _Failed(f"no such host: {_plain(error)}") from error
        except NoProxy as error:
            trouble = self._trouble(url, f"cannot be reached ({_plain(error)})")
            raise _Failed("no proxy", again=True, trouble=trouble) from error
        except httpcore.ConnectTimeout as error:
            raise _Failed("not reached: no connection in time", again=True, silent=True) from error
        except httpcore.ProxyError as error:
            trouble = None
            if str(error).startswith(_LOGIN):
                wants = "wants a name and a password in its address, http://NAME:PASSWORD@HOST:PORT"
                trouble = self._trouble(url, wants)
            raise _Failed(f"not reached: {_plain(error)}", again=True, trouble=trouble) from error
        except httpcore.ConnectError as error:
            raise _Failed(f"not reached: {_plain(error)}", again=not _is_tls(error)) from error
        except httpcore.TimeoutException as error:
            raise _Failed("no answer: silent for too long", again=True, silent=True) from error
        except (httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
            raise _Failed(f"cut off: {_plain(error)}", again=True) from error
        except Exception as error:  # untrusted URLs and servers can make the library raise anything
            raise _Failed(f"no sense: {_plain(error)}") from error

    def _trouble(self, url: httpx.URL, what: str) -> ProxyTrouble:
        proxy = urlsplit(self._settings.proxies.towards(str(url)) or "")
        where = proxy.netloc.rpartition("@")[2]
        return ProxyTrouble(
            f"The proxy {where} {what}. It is set in KEZAKO_PROXY, HTTPS_PROXY, HTTP_PROXY or "
            "ALL_PROXY; mend that, and run the same command again."
        )

    async def _follow(self, url: httpx.URL) -> bytes:
        for _ in range(self._limits.redirects + 1):
            answer = await self._ask(url)
            if isinstance(answer, bytes):
                return answer
            url = _parsed(answer, url)
        raise _Failed(f"redirects: more than {self._limits.redirects}")

    async def _ask(self, url: httpx.URL) -> bytes | str:
        """The picture, or the URL that the site redirects to."""
        if not self._settings.allow_private:
            refuse_private_host(url.raw_host.decode("ascii"))
        limits = self._limits
        timeout = {"connect": limits.connect, "read": limits.silence, "write": limits.silence,
                   "pool": None}  # fmt: skip
        target = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        own = [(b"Host", url.netloc), *_HEADERS]
        async with self._pool(url).stream(
            "GET", target, headers=own, extensions={"timeout": timeout}
        ) as response:
            headers = httpx.Headers(response.headers)
            if self._respect_noai and (words := forbids_ai(headers.get_list("X-Robots-Tag"))):
                raise _Failed(f"no AI use: the site says {words}", "refused")
            if response.status in (301, 302, 303, 307, 308) and "Location" in headers:
                return headers["Location"]
            _accept(response.status, headers)
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
    # As sent in the request: `url.host` would decode "xn--ls8h", which is not a valid name.
    host = url.raw_host.decode("ascii", "replace")
    if url.scheme not in ("http", "https") or not host:
        raise _Failed(f"no address: {_plain(url.scheme or 'nothing')} is not fetched", "refused")
    if ":" not in host and not _NAME.fullmatch(host.lower()):
        raise _Failed(f"no address: {_plain(host)} is no name of a host", "refused")
    if url.port is not None and not 0 < url.port < 65_536:
        raise _Failed(f"no address: there is no port {_plain(url.port)}", "refused")
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
    """The `Retry-After` header, a number or a date, in seconds from now; 0 if it says nothing."""
    from kezako.gather.sources.pace import seconds_of

    return seconds_of(retry_after) or 0.0


def _proxy(address: str, certificates: ssl.SSLContext) -> httpcore.Proxy:
    url = httpx.URL(address)
    login = (url.username, url.password) if url.username else None
    where = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target="/")
    return httpcore.Proxy(where, auth=login, ssl_context=certificates)


def _is_tls(error: BaseException) -> bool:
    return isinstance(error.__cause__ or error.__context__, ssl.SSLError) or "SSL" in str(error)


def _plain(text: object) -> str:
    """One short printable line from what a server or library said."""
    line = "".join(c if c.isprintable() else " " for c in str(text))
    return line[:120].strip() or type(text).__name__
