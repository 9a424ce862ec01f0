"""Visitors come and go in every way there is; afterwards the server is as it was."""

from __future__ import annotations

import re
import uuid

import psutil

from tests.attack.raw import connect, get
from tests.limits.conftest import Host
from tests.limits.guest import Guest, ask
from tests.servers import until

VISITS = 42


def figure(address: str, name: str) -> float:
    found = re.search(rf"^{name} ([\d.e+]+)$", ask(address, "metrics").text, re.M)
    assert found, name
    return float(found[1])


def server(home_of_port: str) -> psutil.Process:
    port = int(home_of_port.rstrip("/").rpartition(":")[2])
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "kezako" in command and str(port) in command:
            return process
    raise AssertionError("The server does not run.")


def come_and_go(address: str, number: int) -> None:
    way = number % 7
    if way == 6:
        with connect(address) as impatient:  # hangs up before the page has come
            impatient.sendall(get("/"))
        return
    guest = Guest(address).arrives()
    if way == 0:
        return  # it never opens its websocket
    guest.connects()
    assert guest.is_answered()
    if way == 1:
        guest.socket.shutdown()  # the network is lost
    elif way == 2:
        guest.leaves()  # the tab is closed, its websocket lingers
    elif way == 3:
        guest.says("execute_request", {"code": "1"})  # thrown out
    elif way == 4:
        guest.socket.shutdown()
        guest.session = str(uuid.uuid4())
        guest.connects().leaves()  # came back as another session
    else:
        guest.socket.shutdown()
        guest.leaves()


def test_nothing_is_left_of_many_visits(a_host: Host) -> None:
    with a_host(KEZAKO_OPENING="3", KEZAKO_RETURNING="3") as address:
        process = server(address)
        for number in range(7):
            come_and_go(address, number)
        until(lambda: figure(address, "kezako_visitors") == 0, "The first is still counted.")
        until(lambda: figure(address, "kezako_kernels") == 0, "A kernel is still counted.")
        files, children = process.num_fds(), len(process.children(recursive=True))
        memory = process.memory_full_info().uss
        for number in range(VISITS):
            come_and_go(address, number)
        until(lambda: figure(address, "kezako_visitors") == 0, "Somebody is still counted.")
        until(lambda: figure(address, "kezako_kernels") == 0, "A kernel is still counted.")
        until(lambda: process.num_fds() <= files + 4, "Files stay open.")
        until(lambda: len(process.children(recursive=True)) <= children, "A process lives on.")
        grown = process.memory_full_info().uss - memory
        assert grown / VISITS < 200_000, f"{grown} bytes are left of {VISITS} visits"
