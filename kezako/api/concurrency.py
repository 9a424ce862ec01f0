"""Limit how many requests, and how many bytes of them, are in flight at once."""

from __future__ import annotations

import ipaddress
from collections import Counter

from kezako.api.settings import MEGABYTE, ApiSettings

COME_AGAIN = 2  # seconds


class Busy(Exception):
    """There is no room for this request now."""


class ConcurrencyLimit:
    """Counts requests in flight; after `enter`, call `leave`."""

    def __init__(self, settings: ApiSettings):
        self._settings = settings
        self._by_address: Counter[str] = Counter()
        self.requests = 0
        self.bytes = 0

    def enter(self, address: str) -> None:
        """Raises `Busy`. One address gets at most half of the places, so it cannot block all."""
        share = max(1, self._settings.requests // 2)
        if self.requests >= self._settings.requests or self._by_address[address] >= share:
            raise Busy
        self.requests += 1
        self._by_address[address] += 1

    def leave(self, address: str) -> None:
        self.requests -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def take(self, size: int) -> None:
        """Count `size` more bytes of a body. Raises `Busy`."""
        if self.bytes + size > self._settings.bodies * MEGABYTE:
            raise Busy
        self.bytes += size

    def give(self, size: int) -> None:
        self.bytes -= size


def neighbourhood(address: str) -> str:
    """The unit of limits by address: an IPv4 address, or a /64, which one IPv6 customer has."""
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        if not ip.is_loopback:
            return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
