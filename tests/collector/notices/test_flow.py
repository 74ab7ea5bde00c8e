"""Notices on their way: real rows, a real receiver on loopback."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from collector.channels import Channel, Failed, Sent, Unknown
from collector.channels.webhook import Webhook
from collector.notices import Notices
from collector.notices.flow import GIVE_UP, LEASE, outcome, told
from collector.store.engine import Store
from collector.store.notices import Notice, add_notice, notices_of
from tests.contracts.receiver import Receiver, receiver

if TYPE_CHECKING:
    from tests.conftest import Office

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


class Hurt:
    """A channel with a fault of ours."""

    name = "hurt"

    async def send(self, _address: str, _payload: object, _key: str) -> Sent:
        raise ZeroDivisionError

    async def close(self) -> None:
        pass


class Desk:
    def __init__(self, state: Store, office: "Office", place: Receiver, hook: Webhook) -> None:
        self.state = state
        self.place = place
        self.now = NOON
        self.deaths: list[tuple[str, BaseException]] = []
        channels: dict[str, Channel] = {"webhook": hook, "hurt": Hurt()}
        self.flow = Notices(
            state,
            channels=lambda: channels,
            registry=lambda: office.registry,
            http_allow=lambda: [place.url.partition("/hook")[0]],
            clock=lambda: self.now,
            on_death=lambda name, error: self.deaths.append((name, error)),
        )

    async def queue(
        self,
        key: str,
        *,
        person: str | None = None,
        channel: str = "webhook",
        **payload: Any,  # noqa: ANN401 - JSON
    ) -> None:
        async with self.state.write() as conn:
            await add_notice(
                conn,
                key=key,
                incident="i",
                person=person,
                channel=channel,
                payload=payload,
                now=self.now,
            )

    async def step(self, *, after: timedelta = timedelta(0)) -> dict[str, Notice]:
        self.now += after
        await self.flow.step()
        await self.flow.settle()
        assert self.deaths == []
        async with self.state.read() as conn:
            return {notice.key: notice for notice in await notices_of(conn, "i")}


@pytest.fixture
async def desk(sqlite_state: Store, office: "Office") -> AsyncIterator[Desk]:
    async with receiver() as place:
        hook = Webhook("webhook", place.url, timedelta(seconds=2))
        yield Desk(sqlite_state, office, place, hook)
        await hook.close()


async def test_a_notice_reaches_its_receiver_with_its_key(desk: Desk) -> None:
    await desk.queue("k", subject="s")
    notice = (await desk.step())["k"]

    assert (notice.state, notice.sent_at) == ("sent", NOON)
    assert desk.place.bodies == [{"subject": "s", "key": "k"}]
    assert desk.flow.sent == 1


async def test_a_notice_leaves_with_its_persons_link_and_keeps_it_to_itself(desk: Desk) -> None:
    desk.flow._link = lambda notice: f"https://c/a/{notice.key}"
    await desk.queue("k", person="wang", subject="s")
    notice = (await desk.step())["k"]

    assert "https://c/a/" not in str(notice.payload) + str(notice.result)


async def test_what_fails_is_sent_again_later_with_the_same_key(desk: Desk) -> None:
    async def busy(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    desk.place.answer = busy
    await desk.queue("k")
    notice = (await desk.step())["k"]
    assert (notice.state, notice.attempts) == ("waiting", 1)
    assert notice.result == {"outcome": "failed", "why": "HTTP 503: "}

    desk.place.answer = None
    assert (await desk.step(after=timedelta(seconds=2)))["k"].state == "sent"
    assert desk.place.calls == {"k": 2}


async def test_an_answer_that_was_lost_is_sent_again(desk: Desk) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    desk.place.answer = cut
    await desk.queue("k")
    assert ((await desk.step())["k"].result or {})["outcome"] == "unknown"
    desk.place.answer = None
    assert (await desk.step(after=timedelta(seconds=2)))["k"].state == "sent"


async def test_a_refusal_ends_a_notice_and_stops_no_other(desk: Desk) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.Response(status=404 if request.headers["Idempotency-Key"] == "bad" else 200)

    desk.place.answer = refuse
    await desk.queue("bad")
    await desk.queue("good")
    found = await desk.step()

    assert {key: notice.state for key, notice in found.items()} == {"bad": "failed", "good": "sent"}
    assert (desk.flow.sent, desk.flow.failed) == (1, 1)


async def test_a_notice_nobody_can_get_fails_with_the_reason(desk: Desk) -> None:
    await desk.queue("nobody", person="ghost")
    await desk.queue("nowhere", channel="pigeon")
    await desk.queue("forbidden", url="http://127.0.0.1:1/admin")
    found = await desk.step()

    assert {notice.state for notice in found.values()} == {"failed"}
    assert "no person 'ghost'" in (found["nobody"].result or {})["why"]
    assert "no channel 'pigeon'" in (found["nowhere"].result or {})["why"]
    assert "http_allow" in (found["forbidden"].result or {})["why"]


async def test_a_request_of_a_plan_goes_to_its_own_allowed_address(desk: Desk) -> None:
    await desk.queue("k", url=desk.place.url, body={"block": "203.0.113.9"})

    assert (await desk.step())["k"].state == "sent"
    assert desk.place.bodies == [{"block": "203.0.113.9"}]


async def test_a_fault_of_one_channel_is_counted_and_silences_no_other(desk: Desk) -> None:
    await desk.queue("hurt", channel="hurt")
    await desk.queue("k")
    found = await desk.step()

    assert {key: notice.state for key, notice in found.items()} == {"hurt": "waiting", "k": "sent"}
    assert desk.flow.faults == 1


async def test_a_slow_sender_is_overtaken_after_its_lease_and_its_result_not_taken(
    desk: Desk, sqlite_state: Store
) -> None:
    gate = asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        if desk.place.calls["k"] == 1:
            await gate.wait()
            return web.Response(status=404)
        return web.Response()

    desk.place.answer = slow
    await desk.queue("k")
    await desk.flow.step()
    await desk.place.heard.wait()
    desk.now += LEASE
    await desk.flow.step()
    async with asyncio.timeout(10):
        while desk.flow.sent == 0:
            await sqlite_state.changed.wait(sqlite_state.changed.count - 1)
            await asyncio.wait(desk.flow._sending, return_when=asyncio.FIRST_COMPLETED)
    gate.set()
    found = await desk.step()

    assert (found["k"].state, found["k"].attempts) == ("sent", 2)
    assert desk.flow.failed == 0


async def test_the_loop_wakes_for_a_new_notice(desk: Desk) -> None:
    running = asyncio.get_running_loop().create_task(desk.flow.run())
    await desk.queue("k")
    async with asyncio.timeout(10):
        await desk.place.heard.wait()
        await desk.flow.settle()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert desk.place.calls == {"k": 1}


def notice(attempts: int = 1, age: timedelta = timedelta(0)) -> Notice:
    return Notice(
        id="n",
        key="k",
        incident=None,
        person=None,
        channel="w",
        payload={},
        state="sending",
        attempts=attempts,
        created_at=NOON - age,
        next_at=NOON,
        fence=attempts,
        sent_at=None,
        result=None,
        drill=False,
    )


def test_pauses_grow_with_full_jitter_up_to_five_minutes() -> None:
    lost = Unknown("lost")

    assert outcome(notice(1), lost, NOON, 1.0) == ("waiting", NOON + timedelta(seconds=2))
    assert outcome(notice(4), lost, NOON, 0.5) == ("waiting", NOON + timedelta(seconds=8))
    assert outcome(notice(99), lost, NOON, 1.0) == ("waiting", NOON + timedelta(minutes=5))


def test_the_receivers_wish_to_wait_is_kept() -> None:
    busy = Failed(permanent=False, why="busy", retry_after=timedelta(minutes=1))

    assert outcome(notice(), busy, NOON, 0.0) == ("waiting", NOON + timedelta(minutes=1))


def test_after_a_day_a_notice_is_given_up_as_what_it_is() -> None:
    assert outcome(notice(9, GIVE_UP), Unknown("lost"), NOON, 1.0)[0] == "unknown"
    assert outcome(notice(9, GIVE_UP), Failed(permanent=False, why="down"), NOON, 1.0)[0] == "failed"


def test_a_result_is_told_in_the_row() -> None:
    assert told(Sent({"status": 200})) == {"outcome": "sent", "status": 200}
    assert told(Unknown("lost")) == {"outcome": "unknown", "why": "lost"}
    assert told(Failed(permanent=True, why="no")) == {"outcome": "failed", "why": "no"}
