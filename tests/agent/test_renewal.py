"""A certificate is renewed by the collectors' clock, and by no other."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from agent import renewal as renewal_module
from agent.enrolment import Host, renew
from agent.renewal import Renewal
from agent.tasks import Tasks
from agent.texts import SaidError
from agent.transport import Transport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent.clock import Clock
    from agent.enrolment import Identity
    from tests.agent.conftest import FarSide

LATE = timedelta(days=70)
MINUTE, DAY, YEAR = timedelta(minutes=1), timedelta(days=1), timedelta(days=365)
WRONG = pytest.mark.parametrize(
    "wrong", [timedelta(), DAY, -DAY, YEAR, -YEAR], ids=["right", "+1d", "-1d", "+1y", "-1y"]
)


class Looks:
    """Counts the looks at the clock, and lets none wait."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._seen: asyncio.Queue[None] = asyncio.Queue()
        self._timeout = asyncio.timeout
        monkeypatch.setattr(renewal_module.asyncio, "timeout", self._short)

    def _short(self, _: float) -> asyncio.Timeout:
        self._seen.put_nowait(None)
        return self._timeout(0.001)

    async def until(self, count: int) -> None:
        async with self._timeout(10):
            for _ in range(count):
                await self._seen.get()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    return Looks(monkeypatch)


@pytest.fixture
async def transport(identity: Identity, clock: Clock) -> AsyncIterator[Transport]:
    made = Transport([identity.collector], identity.tls(), clock.now)
    yield made
    await made.close()


def renewal(identity: Identity, transport: Transport, clock: Clock, ahead: timedelta) -> Renewal:
    return Renewal(
        identity,
        transport,
        identity.folder.parent,
        host=Host("host-1"),
        now=lambda: clock.now() + ahead,
        language="en",
        random=lambda: 0.5,
    )


async def test_it_is_renewed_in_time_with_another_key(
    far_side: FarSide, identity: Identity, transport: Transport, clock: Clock
) -> None:
    transport.offset = 0.0
    old_key = (identity.folder / "key.pem").read_bytes()
    renewed = asyncio.Event()
    async with Tasks() as tasks, asyncio.timeout(10):
        tasks.spawn("renewal", renewal(identity, transport, clock, LATE).run(renewed.set))
        await renewed.wait()

    assert [asked.token for asked in far_side.requests][1:] == [""]
    assert (identity.folder / "key.pem").read_bytes() != old_key


@WRONG
async def test_a_minute_before_two_thirds_of_its_life_are_over_it_is_not_renewed(
    *,
    far_side: FarSide,
    identity: Identity,
    transport: Transport,
    clock: Clock,
    looks: Looks,
    wrong: timedelta,
) -> None:
    transport.offset = wrong.total_seconds()
    until = identity.renewal_due() - clock.now() - MINUTE
    async with Tasks() as tasks:
        tasks.spawn("renewal", renewal(identity, transport, clock, until + wrong).run(lambda: None))
        await looks.until(5)
    assert len(far_side.requests) == 1  # the enrolment


@WRONG
async def test_a_minute_after_two_thirds_of_its_life_are_over_it_is_renewed(
    far_side: FarSide, identity: Identity, transport: Transport, clock: Clock, wrong: timedelta
) -> None:
    """The new one's life begins anew, so that nothing is due at once."""
    transport.offset = wrong.total_seconds()
    until = identity.renewal_due() - clock.now() + MINUTE
    renewed = asyncio.Event()
    async with Tasks() as tasks, asyncio.timeout(10):
        tasks.spawn("renewal", renewal(identity, transport, clock, until + wrong).run(renewed.set))
        await renewed.wait()
    assert len(far_side.requests) == 2
    assert identity.renewal_due() > clock.now() + timedelta(days=59)


async def test_by_a_clock_a_year_ahead_nothing_is_renewed_before_its_time(
    far_side: FarSide, identity: Identity, transport: Transport, clock: Clock, looks: Looks
) -> None:
    """Whether the collectors' clock is known already or not."""
    async with Tasks() as tasks:
        tasks.spawn("renewal", renewal(identity, transport, clock, YEAR).run(lambda: None))
        await looks.until(5)
        transport.offset = YEAR.total_seconds()
        await looks.until(5)
    assert len(far_side.requests) == 1  # the enrolment


async def test_by_a_clock_a_year_behind_it_is_renewed_in_time(
    far_side: FarSide, identity: Identity, transport: Transport, clock: Clock
) -> None:
    transport.offset = -YEAR.total_seconds()
    renewed = asyncio.Event()
    async with Tasks() as tasks, asyncio.timeout(10):
        tasks.spawn("renewal", renewal(identity, transport, clock, LATE - YEAR).run(renewed.set))
        await renewed.wait()
    assert len(far_side.requests) == 2


async def test_what_is_wanted_is_renewed_at_once(
    far_side: FarSide, identity: Identity, transport: Transport, clock: Clock
) -> None:
    made = renewal(identity, transport, clock, timedelta(0))
    renewed = asyncio.Event()
    async with Tasks() as tasks, asyncio.timeout(10):
        tasks.spawn("renewal", made.run(renewed.set))
        made.want()
        await renewed.wait()
    assert len(far_side.requests) == 2


async def test_a_renewal_that_is_refused_is_said_and_ends_nothing(
    far_side: FarSide,
    identity: Identity,
    transport: Transport,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        await request.read()
        return web.json_response({"detail": "revoked"}, status=403)

    far_side.behave["/v1/enrol"] = refuse
    transport.offset = 0.0
    async with Tasks() as tasks, asyncio.timeout(10):
        tasks.spawn("renewal", renewal(identity, transport, clock, LATE).run(lambda: None))
        while "revoked" not in caplog.text:  # noqa: ASYNC110 - a log line is awaited
            await asyncio.sleep(0.01)


async def test_a_renewal_that_is_refused_is_not_asked_for_at_every_acknowledgement(
    far_side: FarSide, identity: Identity, transport: Transport, clock: Clock
) -> None:
    """While a backlog is sent there are hundreds a second, and each may tell of another authority."""

    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    waits: list[float] = []
    paused, go_on = asyncio.Event(), asyncio.Event()

    async def pause(seconds: float) -> None:
        waits.append(seconds)
        paused.set()
        await go_on.wait()

    asked = len(far_side.requests)
    far_side.behave["/v1/enrol"] = refuse
    renewed = asyncio.Event()
    renews = Renewal(
        identity,
        transport,
        identity.folder.parent,
        host=Host("host-1"),
        now=clock.now,
        language="en",
        random=lambda: 0.5,
        sleep=pause,
    )
    async with Tasks() as tasks, asyncio.timeout(10):
        tasks.spawn("renewal", renews.run(renewed.set))
        renews.want()
        await paused.wait()
        for _ in range(100):
            renews.want()
            await asyncio.sleep(0)
        assert waits == [5.0]
        del far_side.behave["/v1/enrol"]
        go_on.set()
        await renewed.wait()
    assert len(far_side.requests) == asked + 1


async def test_a_full_disk_leaves_no_half_identity_behind(
    identity: Identity, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = sorted(path.name for path in identity.folder.parent.iterdir())
    monkeypatch.setattr("agent.enrolment._sync", full)
    with pytest.raises(SaidError, match="No space left"):
        await renew(identity, identity.collector, identity.folder.parent, Host("host-1"), clock.now)

    assert sorted(path.name for path in identity.folder.parent.iterdir()) == before
