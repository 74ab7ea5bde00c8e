from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from datetime import timedelta
from email.utils import format_datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from agent.clock import host_clock
from agent.transport import Transport, UnreachableError

from .conftest import FarSide, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent.clock import Clock
    from agent.enrolment import Identity
    from tests.agent.conftest import Authority


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
async def transport(far_side: FarSide, identity: Identity, clock: Clock) -> AsyncIterator[Transport]:
    made = Transport([far_side.url], identity.tls(), clock.now)
    yield made
    await made.close()


async def test_requests_share_a_long_lived_connection_of_tls_1_3_without_delay(
    far_side: FarSide, transport: Transport
) -> None:
    versions = []

    async def look(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        versions.append(request.transport.get_extra_info("ssl_object").version())
        return web.Response(headers={"Retry-After": "3"})

    far_side.behave["/v1/orders"] = look
    far_side.connections.clear()

    replies = [await transport.request("GET", "/v1/orders?wait=0") for _ in range(3)]

    assert [(reply.status, reply.retry_after) for reply in replies] == [(200, 3)] * 3
    assert replies[0].date is not None
    assert versions == ["TLSv1.3"] * 3
    assert len(far_side.connections) == 1
    (pool,) = transport._session.connector._conns.values()  # type: ignore[union-attr]
    ((protocol, _),) = pool
    raw = protocol.transport.get_extra_info("socket")
    assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


async def test_the_next_address_is_tried_when_one_does_not_answer_and_is_then_kept(
    far_side: FarSide, identity: Identity, clock: Clock
) -> None:
    dead = f"https://127.0.0.1:{closed_port()}"
    transport = Transport([dead, far_side.url], identity.tls(), clock.now)

    assert (await transport.request("GET", "/v1/orders?wait=0")).status == 200
    assert transport.addresses[transport._current] == far_side.url
    await transport.close()


async def test_two_requests_that_fail_together_at_one_address_pass_over_no_other(
    far_side: FarSide, identity: Identity, clock: Clock
) -> None:
    """The poll for orders and a batch are both on their way when a collector dies."""
    dead = f"https://127.0.0.1:{closed_port()}"
    transport = Transport([dead, far_side.url], identity.tls(), clock.now)

    replies = await asyncio.gather(*(transport.request("GET", "/v1/orders?wait=0") for _ in range(2)))

    assert [reply.status for reply in replies] == [200, 200]
    assert transport.addresses[transport._current] == far_side.url
    await transport.close()


async def test_a_poll_that_ends_late_at_the_first_leaves_the_second_that_was_taken_since(
    far_side: FarSide, identity: Identity, clock: Clock, authority: Authority
) -> None:
    polled, die = asyncio.Event(), asyncio.Event()

    async def dying(_: web.Request) -> web.StreamResponse:
        if not polled.is_set():
            polled.set()
            await die.wait()
        return web.Response(status=502)

    far_side.behave["/v1/orders"] = dying
    async for second in serve(FarSide(authority)):
        transport = Transport([far_side.url, second.url], identity.tls(), clock.now)
        async with asyncio.TaskGroup() as group:
            poll = group.create_task(transport.request("GET", "/v1/orders?wait=0"))
            await polled.wait()
            assert (await transport.request("GET", "/v1/orders?wait=0")).status == 200
            die.set()
        assert poll.result().status == 200
        assert transport.addresses[transport._current] == second.url
        await transport.close()


class Twins:
    """Two collectors that can be put down; who was asked, by number."""

    def __init__(self, *far: FarSide) -> None:
        self.urls = [one.url for one in far]
        self.down: set[int] = set()
        self.asked: list[int] = []
        for number, one in enumerate(far, 1):
            one.behave["/v1/outcomes"] = partial(self._answer, number)

    async def _answer(self, number: int, request: web.Request) -> web.StreamResponse:
        self.asked.append(number)
        if number in self.down:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=204)

    async def ways(self, transport: Transport, *down: int) -> list[int]:
        """Return who is asked, one after the other, while some are down."""
        self.down, self.asked = set(down), []
        with suppress(UnreachableError):
            await transport.request("POST", "/v1/outcomes", b"{}")
        return self.asked


async def test_the_first_dead_the_second_is_taken_and_when_that_dies_the_first_again(
    far_side: FarSide, identity: Identity, clock: Clock, authority: Authority
) -> None:
    """And while one answers, the other is not asked whether it lives."""
    async for second in serve(FarSide(authority)):
        twins = Twins(far_side, second)
        transport = Transport(twins.urls, identity.tls(), clock.now)

        assert await twins.ways(transport, 1) == [1, 2]
        assert await twins.ways(transport, 1) == [2]
        assert await twins.ways(transport) == [2]
        assert await twins.ways(transport, 2) == [2, 1]
        assert await twins.ways(transport, 2) == [1]
        assert await twins.ways(transport, 1, 2) == [1, 2]
        assert await twins.ways(transport) == [1]
        await transport.close()


async def test_how_many_addresses_took_a_body_is_told(
    far_side: FarSide, identity: Identity, clock: Clock, authority: Authority
) -> None:
    async def elsewhere(request: web.Request) -> web.StreamResponse:
        await request.read()
        return web.Response(status=502)

    dead = f"https://127.0.0.1:{closed_port()}"
    async for second in serve(FarSide(authority)):
        far_side.behave["/v1/outcomes"] = elsewhere
        transport = Transport([dead, far_side.url, second.url], identity.tls(), clock.now)
        second.behave["/v1/outcomes"] = lambda _: asyncio.sleep(0, web.Response(status=204))
        assert (await transport.request("POST", "/v1/outcomes", b"{}")).bodies == 2
        assert (await transport.request("POST", "/v1/outcomes", b"{}")).bodies == 1

        second.behave["/v1/outcomes"] = elsewhere
        with pytest.raises(UnreachableError) as error:
            await transport.request("POST", "/v1/outcomes", b"{}")
        assert error.value.bodies == 2
        await transport.close()


async def test_an_address_that_serves_something_else_is_passed_over(
    far_side: FarSide, identity: Identity, clock: Clock
) -> None:
    async def not_me(_: web.Request) -> web.StreamResponse:
        return web.Response(status=404)

    far_side.behave["/v1/orders"] = not_me
    transport = Transport([far_side.url], identity.tls(), clock.now)

    with pytest.raises(UnreachableError, match="status 404"):
        await transport.request("GET", "/v1/orders")
    await transport.close()


async def test_where_no_address_answers_all_of_them_are_named(identity: Identity, clock: Clock) -> None:
    addresses = [f"https://127.0.0.1:{closed_port()}" for _ in range(2)]
    transport = Transport(addresses, identity.tls(), clock.now)

    with pytest.raises(UnreachableError) as error:
        await transport.request("GET", "/v1/orders")

    assert all(address in str(error.value) for address in addresses)
    await transport.close()


async def test_a_collector_of_another_authority_gets_nothing(far_side: FarSide, clock: Clock) -> None:
    stranger = ssl.create_default_context()
    transport = Transport([far_side.url], stranger, clock.now)

    with pytest.raises(UnreachableError, match="certificate"):
        await transport.request("POST", "/v1/batches", b"secret")

    assert far_side.reports == []
    await transport.close()


async def test_an_answer_without_end_is_cut(far_side: FarSide, transport: Transport) -> None:
    async def flood(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * (5 * 1024 * 1024))

    far_side.behave["/v1/orders"] = flood

    with pytest.raises(UnreachableError, match="more than"):
        await transport.request("GET", "/v1/orders")


async def test_a_collector_that_does_not_answer_in_time_is_given_up(transport: Transport) -> None:
    with pytest.raises(UnreachableError, match=r"(?i)timeout"):
        await transport.request("GET", "/v1/orders?wait=50", seconds=0.2)


async def test_every_quick_answer_tells_by_how_much_the_clocks_differ(
    far_side: FarSide, identity: Identity
) -> None:
    real = host_clock()
    ahead = Transport([far_side.url], identity.tls(), lambda: real.now() + timedelta(seconds=90))
    assert ahead.offset is None
    await ahead.request("GET", "/v1/orders?wait=0")

    assert ahead.offset == pytest.approx(90, abs=1.6)
    await ahead.close()


@pytest.mark.parametrize("status", [500, 503, 507])
async def test_an_address_that_always_puts_off_is_left_for_another(
    far_side: FarSide, identity: Identity, clock: Clock, authority: Authority, status: int
) -> None:
    """Its disk is full, its database gone; another collector has room. Other paths may go well meanwhile."""

    async def puts_off(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    far_side.behave["/v1/batches"] = puts_off
    async for second in serve(FarSide(authority)):

        async def takes(_: web.Request) -> web.StreamResponse:
            return web.Response(status=200)

        second.behave["/v1/batches"] = takes
        transport = Transport([far_side.url, second.url], identity.tls(), clock.now)
        said = []
        for _ in range(4):
            said.append((await transport.request("POST", "/v1/batches", b"{}")).status)
            await transport.request("GET", "/v1/orders?wait=0")
        await transport.close()
        assert said == [status, status, status, 200]


async def test_one_that_puts_off_now_and_then_is_kept(
    far_side: FarSide, identity: Identity, clock: Clock, authority: Authority
) -> None:
    answers = iter([503, 503, 200] * 3)

    async def busy(_: web.Request) -> web.StreamResponse:
        return web.Response(status=next(answers))

    far_side.behave["/v1/batches"] = busy
    async for second in serve(FarSide(authority)):
        transport = Transport([far_side.url, second.url], identity.tls(), clock.now)
        said = [(await transport.request("POST", "/v1/batches", b"{}")).status for _ in range(9)]
        await transport.close()
        assert said == [503, 503, 200] * 3
        assert second.connections == set()


@pytest.mark.parametrize("days", [-400, 0, 400])
async def test_a_wait_asked_for_as_a_date_is_told_by_the_clock_that_wrote_it(
    far_side: FarSide, identity: Identity, clock: Clock, days: int
) -> None:
    async def wait(_: web.Request) -> web.StreamResponse:
        until = format_datetime(clock.now() + timedelta(seconds=90), usegmt=True)
        return web.Response(status=503, headers={"Retry-After": until})

    far_side.behave["/v1/batches"] = wait
    transport = Transport([far_side.url], identity.tls(), lambda: clock.now() + timedelta(days=days))
    reply = await transport.request("POST", "/v1/batches", b"{}")
    await transport.close()

    assert reply.retry_after is not None
    assert 85 <= reply.retry_after <= 91
