"""No address leads into the maker's own network: checked after names are resolved."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpcore
import pytest

from kezako.gather.check import Reject
from kezako.gather.fetch import Fetcher
from kezako.gather.network import PrivateAddress, PublicOnly, is_public, refuse_private_host
from kezako.gather.settings import Settings
from tests.standin import Standin

PRIVATE = [
    "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "192.0.0.192", "168.63.129.16",  # metadata of two clouds
    "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.88.99.1",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1",
    "ff0e::1", "100::1", "2001:db8::1", "3fff::1", "2001:2::1", "5f00::1",
    "2606:4700::1111%eth0",
    # An IPv4 address inside: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP.
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:192.0.0.192", "::127.0.0.1", "::10.0.0.1",
    "::8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::169.254.169.254",
    "64:ff9b:1::7f00:1", "64:ff9b:1:7f00:0:100::", "64:ff9b:1::8.8.8.8", "2002:7f00:1::",
    "2002:a00:1::1", "2001:0:7f00:1::", "2001::f5ff:fffe", "2606:4700::5efe:10.0.0.1",
    "2606:4700::200:5efe:127.0.0.1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "93.184.216.34", "172.32.0.1", "192.0.1.1", "100.128.0.1", "198.20.0.1",
    "223.255.255.255", "2606:4700::1111", "2a00:1450:4001:82a::200e", "2001:4860:4860::8888",
    "2620:4f:8000::1", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8", "2606:4700::5efe:8.8.8.8",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.1", "0x7f000001", "2130706433", "017700000001", "localhost", "localhost.", "[::1]",
     "x.localhost", "metadata.google.internal", "LOCALHOST", "127.0.0.1.", "0x7f.1", "0",
     "[::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[fe80::1%25eth0]", "[::ffff:7f00:1]",
     "router", "router.", "wpad", "nas.local", "fritz.home.arpa", "box.lan"],
)  # fmt: skip
def test_other_spellings_of_private_hosts_are_known(host: str) -> None:
    with pytest.raises(PrivateAddress):
        refuse_private_host(host)


@pytest.mark.parametrize(
    "host", ["www.example.com", "8.8.8.8", "[2606:4700::1111]", "local.example"]
)
def test_other_hosts_pass(host: str) -> None:
    refuse_private_host(host)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "0", "127。0。0。1"])
def test_nothing_on_this_machine_is_fetched(standin: Standin, host: str) -> None:
    url = f"http://{host}:{standin.port}/drawn/x/00001.jpg"
    outcome = asyncio.run(_fetch(Settings(pause=0), url))
    assert isinstance(outcome, Reject)
    assert (outcome.status, outcome.reason.split(":")[0]) == ("refused", "private address")
    assert not standin.requests


def test_the_switch_for_tests_lets_it_pass(standin: Standin) -> None:
    (url,) = standin.urls("round shape", 1, direct=True)
    assert isinstance(asyncio.run(_fetch(standin.settings(direct=True), url)), bytes)


def test_a_name_is_resolved_once_and_only_its_public_address_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolved, connected = [], []

    async def getaddrinfo(self: Any, host: str, port: int, **_: Any) -> list[Any]:
        resolved.append(host)
        return [(socket.AF_INET, 1, 6, "", (ip, port)) for ip in ("10.0.0.1", "93.184.216.34")]

    async def connect(self: Any, host: str, *_: Any) -> None:
        connected.append(host)
        raise httpcore.ConnectError("nothing is reached from here")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect)
    with pytest.raises(httpcore.ConnectError):
        asyncio.run(PublicOnly().connect_tcp("rebinding.test", 443))
    assert (resolved, connected) == (["rebinding.test"], ["93.184.216.34"])


def test_a_name_that_leads_home_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def getaddrinfo(self: Any, host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, 1, 6, "", ("192.168.0.7", port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    outcome = asyncio.run(_fetch(Settings(pause=0), "https://pictures.example/1.jpg"))
    assert isinstance(outcome, Reject)
    assert outcome.reason == "private address: pictures.example leads to 192.168.0.7"


async def _fetch(settings: Settings, url: str) -> bytes | Reject:
    async def as_it_is(data: bytes) -> bytes:
        return data

    async with Fetcher(settings) as fetcher:
        return await fetcher.fetch(url, as_it_is)
