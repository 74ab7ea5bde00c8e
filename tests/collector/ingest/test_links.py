"""How a node's connections stand."""

import asyncio
import socket
from datetime import UTC, datetime

import pytest

from collector.ingest.links import PROBE_SECONDS, Link, Links, ages_of, keep_asking

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
ONE, OTHER = asyncio.BaseTransport(), asyncio.BaseTransport()


def test_the_last_of_several_connections_counts_and_who_ended_it() -> None:
    links = Links()
    links.opened("n", ONE)
    links.opened("n", OTHER)

    links.closed("n", ONE, by_peer=True, at=NOON)
    first = links.of("n")
    links.closed("n", OTHER, by_peer=True, at=NOON)

    assert (first, links.of("n")) == (Link(1), Link(0, NOON))


def test_what_we_ended_ourselves_says_nothing_and_a_new_connection_forgets_the_end() -> None:
    links = Links()
    links.opened("n", ONE)
    links.closed("n", ONE, by_peer=False, at=NOON)
    assert links.of("n") == Link()

    links.opened("n", ONE)
    links.closed("n", ONE, by_peer=True, at=NOON)
    links.opened("n", ONE)

    assert links.of("n") == Link(1)


def test_strangers_are_not_kept() -> None:
    links = Links()
    links.opened("", ONE)
    links.closed("", ONE, by_peer=True, at=NOON)

    assert links.of("") == Link()


@pytest.mark.parametrize("library", ["asyncio", "uvloop"])
def test_the_kernel_says_when_the_other_side_last_spoke_and_acknowledged(library: str) -> None:
    """Also of whom the program sleeps: what it is sent is acknowledged by its host."""
    factory = asyncio.new_event_loop if library == "asyncio" else pytest.importorskip("uvloop").new_event_loop

    async def meet() -> Link:
        links, accepted = Links(), asyncio.Event()

        class Side(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                links.opened("n", transport)
                accepted.set()

        loop = asyncio.get_running_loop()
        server = await loop.create_server(Side, "127.0.0.1", 0)
        keep_asking(server.sockets[0])
        with socket.create_connection(server.sockets[0].getsockname()):
            await accepted.wait()
            (transport,) = links._open["n"]
            with transport.get_extra_info("socket").dup() as handle:
                idle = handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
                assert (handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), idle) == (1, PROBE_SECONDS)
            link = links.of("n")
            transport.close()  # type: ignore[attr-defined] # every transport of a stream has it
        server.close()
        return link

    with asyncio.Runner(loop_factory=factory) as runner:
        link = runner.run(meet())
    assert link.asked_ago is not None
    assert link.acked_ago is not None
    assert 0 <= link.acked_ago < 30


def test_where_the_kernel_says_nothing_neither_do_we() -> None:
    assert ages_of(ONE) is None
