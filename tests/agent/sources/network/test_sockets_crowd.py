"""A hundred thousand connections: looked at within the budget, told in a bounded report."""

import os
import resource
import socket
import struct
import time
import tracemalloc
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any

import msgspec
import pytest

from agent.clock import host_clock
from agent.netlink import inet_diag, rtnetlink
from agent.netlink.message import Message
from agent.sources.network.exits import ExitsSettings
from agent.sources.network.routing import in_use
from agent.sources.network.sockets import Ledger, Sockets, SocketsSettings
from agent.sources.ranges import Ranges
from tests.agent.conftest import run

OwnNetwork = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]
CROWD = 100_000
NOW = host_clock().now()
_ROW = struct.Struct("=BBxx2s2s16s16sI8x12xII")


def dump(protocol: int, kind: int, request: bytes) -> Iterator[Message]:
    """The kernel's answer for TCP over IPv4, as it lies in datagrams: everybody talks to somebody else."""
    del protocol
    if (request[0], request[1]) != (socket.AF_INET, socket.IPPROTO_TCP):
        return
    for number in range(CROWD):
        far = (0xC0000000 + 7 * number).to_bytes(4, "big")
        near = bytes([10, 0, number >> 8 & 3, 7])
        ports = (30_000 + number % 30_000).to_bytes(2, "big"), b"\x01\xbb"
        row = _ROW.pack(
            socket.AF_INET, inet_diag.ESTABLISHED, *ports, near.ljust(16, b"\0"), far.ljust(16, b"\0"), 0,
            1000, 2**31 + number,
        )  # fmt: skip
        yield Message(kind, 0, 1, row)


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel with that many."""
    monkeypatch.setattr(inet_diag, "stream", dump)


@pytest.mark.usefixtures("crowd")
def test_the_connections_of_a_crowd_are_swept_within_the_budget_and_told_in_part() -> None:
    settings = SocketsSettings()
    source, ledger = Sockets(settings), Ledger()
    begun = time.thread_time()
    changed, _ = source.sweep(ledger, NOW)
    first = time.thread_time() - begun
    again, _ = source.sweep(ledger, NOW)
    both = time.thread_time() - begun
    body = source._body(ledger)

    assert changed
    assert not again
    assert first < settings.budget.cpu_seconds
    assert both - first < settings.budget.cpu_seconds
    assert len(body["connections"]) <= 1000 < body["total"]
    assert len(msgspec.json.encode(body)) < settings.budget.report_bytes / 10


@pytest.mark.usefixtures("crowd")
def test_the_exits_of_a_crowd_are_looked_at_within_the_budget_and_told_in_part() -> None:
    settings = ExitsSettings()
    begun = time.thread_time()
    used = in_use(rtnetlink.look(), Ranges())
    spent = time.thread_time() - begun

    assert spent < settings.budget.cpu_seconds
    assert 0 < len(used) <= 4
    assert sum(row["connections"] for row in used) > CROWD / 2
    assert all(len(row["remote_addresses"]) <= 5 for row in used)
    assert len(msgspec.json.encode(used)) < 4096


def test_a_connection_takes_little_memory_and_none_is_kept_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured at a tenth of the crowd, for measuring takes longer than looking."""
    fewer = CROWD // 10
    monkeypatch.setattr(inet_diag, "stream", lambda *asked: islice(dump(*asked), fewer))
    source, ledger = Sockets(SocketsSettings()), Ledger()
    tracemalloc.start()
    try:
        for _ in range(2):
            source.sweep(ledger, NOW)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak / fewer < 2048


@pytest.mark.root
def test_thousands_of_real_connections_are_one_row_with_their_number(own_network: OwnNetwork) -> None:
    """In a network of its own, to an address outside that is its own."""
    many = 2000

    async def scene() -> None:
        run("ip", "addr", "add", "203.0.113.9/32", "dev", "lo")
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
        with ExitStack() as open_ones:
            server = open_ones.enter_context(socket.create_server(("203.0.113.9", 0), backlog=many))
            for _ in range(many):
                open_ones.enter_context(socket.create_connection(server.getsockname()))
            source, ledger = Sockets(SocketsSettings()), Ledger()
            source.sweep(ledger, NOW)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

        most = max(ledger.rows(), key=lambda row: row["count"])
        assert (most["count"], most["pid"]) == (many, os.getpid())
        assert source._body(ledger)["total"] == many + 1  # the far ends, nobody's yet, are a row each
        assert len(source._body(ledger)["connections"]) == 1000

    own_network(scene)
