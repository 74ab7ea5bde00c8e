import asyncio
import socket
import subprocess
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from agent.clock import host_clock
from agent.netlink.conntrack import Flow
from agent.sources.network.newflows import Guests, NewFlows
from agent.sources.network.sockets import Sockets, SocketsSettings
from agent.sources.ranges import Ranges

OwnNetwork = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]
Eventually = Callable[[Callable[[], object]], Coroutine[Any, Any, None]]
Watching = Callable[..., AbstractAsyncContextManager[Any]]
TRACKED = "table inet t { chain c { type filter hook output priority 0; ct state new counter; }; }"


def track() -> None:
    subprocess.run(["nft", "-f", "-"], input=TRACKED.encode(), check=True)
    subprocess.run(["ip", "addr", "add", "203.0.113.5/32", "dev", "lo"], check=True)
    subprocess.run(["ip", "route", "add", "198.51.100.0/24", "dev", "lo"], check=True)


def send(target: str, ports: range) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as short:
        for port in ports:
            short.sendto(b"x", (target, port))


def flow(source: str, target: str) -> Flow:
    return Flow("tcp", source, 40000, target, 443, "198.18.0.2")


def test_a_guest_is_known_by_its_address_and_counted() -> None:
    guests = Guests()
    now = host_clock().now()

    assert guests.note([flow("192.168.5.7", "203.0.113.9")], now)
    assert not guests.note([flow("192.168.5.7", f"203.0.113.{n}") for n in range(20)], now)
    (row,) = guests.rows()
    assert (row["source_address"], row["count"], row["translated_to"]) == ("192.168.5.7", 21, "198.18.0.2")
    assert len(row["remote_addresses"]) == 5


def test_a_flood_of_guests_is_bounded() -> None:
    guests = Guests()
    guests.note([flow(f"10.{n // 256}.{n % 256}.1", "203.0.113.9") for n in range(5000)], host_clock().now())

    assert len(guests.rows()) == 256


@pytest.mark.root
def test_a_flood_of_connections_is_bounded_and_its_losses_are_counted(
    own_network: OwnNetwork, eventually: Eventually
) -> None:
    async def scene() -> None:
        track()
        news = NewFlows(Ranges(), asyncio.get_running_loop())
        with news.listening():
            await asyncio.to_thread(send, "203.0.113.5", range(1, 20_001))
            for _ in range(100):
                news.drain()
            heard = news.take()
            assert 1000 < len(heard.flows) <= 4096
            if not heard.overflows:  # the kernel says so when its socket is next read, in the next second
                await eventually(lambda: news.take().overflows)

        assert news.deaf == ""

    own_network(scene)


@pytest.mark.root
def test_a_connection_that_lives_for_one_packet_is_told(own_network: OwnNetwork, watching: Watching) -> None:
    """The poll is set to an hour: what is heard within it came by event."""

    async def scene() -> None:
        track()
        async with watching(Sockets(SocketsSettings(poll=3600.0))) as heard:
            await heard.until(lambda one: one.kind == "sockets")
            await asyncio.to_thread(send, "203.0.113.5", range(5353, 5354))
            report = await heard.until(lambda one: bool(one.body["connections"]))

        (row,) = report.body["connections"]
        assert (row["protocol"], row["remote_address"], row["remote_port"]) == ("udp", "203.0.113.5", 5353)
        assert (row["process"], row["uid"], row["open"]) == (None, None, False)

    own_network(scene)
