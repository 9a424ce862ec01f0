"""Choose the proxy for a web request: one rule for searches, pictures and weights.

`KEZAKO_PROXY` applies to every request. Without it, the usual variables apply: `HTTPS_PROXY` and
`HTTP_PROXY` by the URL's scheme, `ALL_PROXY` for both, and `NO_PROXY` for hosts without a proxy;
lower-case variables win. On macOS and Windows, the system's settings apply if none is set.
"""

from __future__ import annotations

import os
import ssl
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.error import URLError
from urllib.parse import SplitResult, unquote, urlsplit

from kezako import environment
from kezako.errors import KezakoError

_SCHEMES = ("http", "https", "all")
_KINDS = ("http", "https", "socks5", "socks5h")


@dataclass(frozen=True)
class Proxies:
    """The configured proxies and exceptions; empty means no proxy."""

    every: str | None = None  # KEZAKO_PROXY: every request goes through it
    by_scheme: Mapping[str, str] = field(default_factory=dict)  # keys "http", "https", "all"
    past: tuple[str, ...] = ()  # NO_PROXY: names, IP addresses, networks; "*" means all

    @classmethod
    def from_environment(cls, mapping: Mapping[str, str] | None = None) -> Proxies:
        """The proxies that are set. Raises `KezakoError`, which names the wrong variable."""
        given = os.environ if mapping is None else mapping
        # If no variable is set, getproxies asks macOS and Windows for their settings.
        found = urllib.request.getproxies() if mapping is None else _agreed(given)
        return cls(
            every=_checked("KEZAKO_PROXY", given.get("KEZAKO_PROXY", "").strip()),
            by_scheme={
                scheme: proxy
                for scheme in _SCHEMES
                if (proxy := _checked(f"{scheme.upper()}_PROXY", found.get(scheme, "")))
            },
            past=tuple(found.get("no", "").replace(",", " ").split()),
        )

    def __bool__(self) -> bool:
        return bool(self.every or self.by_scheme)

    @property
    def speak_socks(self) -> bool:
        """Whether one of them is a SOCKS proxy."""
        proxies = (self.every or "", *self.by_scheme.values())
        return any(proxy.startswith("socks") for proxy in proxies)

    def towards(
        self,
        address: str,  # "https://pictures.example/1.jpg"
    ) -> str | None:
        """The URL of the proxy for `address`, or None if no proxy is used."""
        if self.every:
            return self.every
        parts = urlsplit(address)
        proxy = self.by_scheme.get(parts.scheme) or self.by_scheme.get("all")
        return None if proxy is None or self._goes_past(parts) else proxy

    def _goes_past(self, parts: SplitResult) -> bool:
        host = (parts.hostname or "").rstrip(".")
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        return any(_fits(entry.lower(), host, port) for entry in self.past)


def opener() -> urllib.request.OpenerDirector:
    """A `urllib` opener that follows the same rules as everything here: proxies and `KEZAKO_CA`.

    Raises `KezakoError` for a wrong setting. It does not support SOCKS proxies (URLError).
    """
    context = ssl.create_default_context()
    if ca := environment.read("CA"):
        try:
            context.load_verify_locations(cafile=os.path.expanduser(ca))
        except OSError as error:
            raise KezakoError(f"KEZAKO_CA names {ca!r}, which cannot be read ({error}).") from error
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({}),  # else urllib would use its own rules for the environment
        _Through(Proxies.from_environment()),
        urllib.request.HTTPSHandler(context=context),
    )


@contextmanager
def urllib_asks_so() -> Iterator[None]:
    """Inside the block, every `urlopen` of this process uses `opener`."""
    before = getattr(urllib.request, "_opener", None)
    urllib.request.install_opener(opener())
    try:
        yield
    finally:
        urllib.request.install_opener(before)  # type: ignore[arg-type]


class _Through(urllib.request.BaseHandler):
    handler_order = 600  # after the handler that sets the Host header

    def __init__(self, proxies: Proxies):
        self._proxies = proxies

    def http_request(self, request: urllib.request.Request) -> urllib.request.Request:
        proxy = self._proxies.towards(request.full_url)
        if proxy is None:
            return request
        parts = urlsplit(proxy)
        if parts.scheme.startswith("socks"):
            raise URLError("this is not downloaded through a SOCKS proxy")
        if parts.username:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            request.add_header("Proxy-Authorization", f"Basic {b64encode(login).decode()}")
        request.set_proxy(parts.netloc.rpartition("@")[2], parts.scheme)
        return request

    https_request = http_request


def _fits(entry: str, host: str, port: int | None) -> bool:
    """Whether a NO_PROXY entry matches a host; a name also matches its subdomains."""
    if entry == "*":
        return True
    with suppress(ValueError):  # one of the two is a name, not an IP address
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    name, _, number = entry.partition(":")
    name = name.removeprefix("*").strip(".")
    return (not number or number == str(port)) and f".{host}".endswith(f".{name}") and bool(name)


def _agreed(environment: Mapping[str, str]) -> dict[str, str]:
    """Like `urllib.request.getproxies_environment`, for any environment."""
    upper = {key[:-6].lower(): value for key, value in environment.items() if key[-6:] == "_PROXY"}
    lower = {key[:-6]: value for key, value in environment.items() if key[-6:] == "_proxy"}
    return upper | lower


def _checked(variable: str, value: str) -> str | None:
    """`value` as a proxy's URL: "proxy.example:3128" means an HTTP proxy. Raises `KezakoError`."""
    value = value.strip()
    if not value:
        return None
    address = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(address)
        fits = parts.scheme in _KINDS and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bad port, or an incomplete IPv6 address
        fits = False
    if not fits:
        shown = repr(value) if "@" not in value else "what it holds"  # it may contain a password
        raise KezakoError(
            f"{variable} must be an address such as http://127.0.0.1:8080, not {shown}."
        )
    return address.rstrip("/")
