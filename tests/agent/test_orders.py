from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from aiohttp import web

from agent.actions import Asked, BadParametersError, Finished
from agent.orders import Orders
from agent.outbox import Bounds, Outbox
from agent.signatures import Signatures
from agent.tasks import Tasks
from agent.transport import Transport
from wire.messages import Order, Signed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from agent.clock import Clock
    from agent.enrolment import Identity
    from tests.agent.conftest import FarSide


class Probe:
    """An action that counts how often it is carried out and does what a test tells it."""

    kind = "collect_evidence"

    def __init__(self, does: Callable[[Asked], Finished]) -> None:
        self.does = does
        self.runs = 0

    def carry_out(self, asked: Asked) -> Finished:
        self.runs += 1
        return self.does(asked)


def brings(_: Asked) -> Finished:
    return Finished({"size": 3}, ({"chunk": 0}, {"chunk": 1}))


class Desk:
    """A running `Orders` and what it works with."""

    def __init__(self, far_side: FarSide, outbox: Outbox, clock: Clock, transport: Transport) -> None:
        self.far = far_side
        self.outbox = outbox
        self.clock = clock
        self.waits: list[float] = []
        self.probe = Probe(brings)
        self.block = Probe(brings)
        self.orders = Orders(
            transport,
            outbox,
            {"collect_evidence": self.probe, "block_address": self.block},
            node="node-1",
            signatures=Signatures(far_side.authority.pem().encode()),
            now=clock.now,
            random=lambda: 0.5,
            language="en",
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0.01)

    def order(
        self,
        identifier: str = "o1",
        kind: str = "collect_evidence",
        seconds: float = 60,
        node: str = "node-1",
        **params: object,
    ) -> Signed:
        now = self.clock.now()
        order = Order(
            id=identifier,
            node=node,
            kind=kind,  # type: ignore[arg-type]
            params=params,
            issued_at=now,
            deadline=now + timedelta(seconds=seconds),
        )
        return self.far.authority.signed(order)

    async def issue(self, *orders: Signed) -> list[tuple[str, str]]:
        self.far.orders += orders
        async with self.far.news:
            self.far.news.notify_all()
        async with Tasks() as tasks:
            tasks.spawn("orders", self.orders.run())
            await self.far.until(lambda: len(self.far.outcomes) >= len(self.far.orders))
        return [(outcome.order, outcome.state) for outcome in self.far.outcomes]


@pytest.fixture
async def desk(far_side: FarSide, identity: Identity, clock: Clock, tmp_path: Path) -> AsyncIterator[Desk]:
    outbox = Outbox(tmp_path / "state", clock, Bounds(min_free_bytes=0))
    transport = Transport([far_side.url], identity.tls(), clock.now)
    yield Desk(far_side, outbox, clock, transport)
    await transport.close()
    outbox.close()


async def test_an_allowed_order_is_done_its_evidence_queued_and_its_outcome_told(desk: Desk) -> None:
    assert await desk.issue(desk.order()) == [("o1", "done")]

    assert desk.far.outcomes[0].detail == {"size": 3}
    batch = await desk.outbox.peek()
    assert batch is not None
    assert [(report.kind, report.source) for report in batch.reports] == [("evidence", "orders")] * 2


async def test_an_order_that_is_told_again_is_not_carried_out_again(desk: Desk) -> None:
    await desk.issue(desk.order())
    desk.far.outcomes.clear()

    assert await desk.issue() == [("o1", "done")]

    assert desk.probe.runs == 1
    assert (await desk.outbox.status()).reports == 2


async def test_what_the_settings_do_not_allow_is_refused_whatever_it_is(desk: Desk) -> None:
    ended = await desk.issue(desk.order("o1", "run_shell"), desk.order("o2"))

    assert ended == [("o1", "refused"), ("o2", "done")]
    assert "run_shell" in desk.far.outcomes[0].detail["why"]


async def test_bad_parameters_are_refused(desk: Desk) -> None:
    def refuse(_: Asked) -> Finished:
        raise BadParametersError("params.items: found 3, expected a list of names")

    desk.probe.does = refuse

    assert await desk.issue(desk.order()) == [("o1", "refused")]
    assert "params.items" in desk.far.outcomes[0].detail["why"]


async def test_an_action_that_breaks_ends_its_order_as_failed_with_the_reason(desk: Desk) -> None:
    def breaks(_: Asked) -> Finished:
        raise OSError("no such table")

    desk.probe.does = breaks

    assert await desk.issue(desk.order()) == [("o1", "failed")]
    assert desk.far.outcomes[0].detail == {"why": "OSError: no such table"}


async def test_an_order_that_comes_late_or_takes_too_long_expires(desk: Desk) -> None:
    stuck = threading.Event()

    def hangs(_: Asked) -> Finished:
        stuck.wait(20)
        return Finished({})

    desk.probe.does = hangs

    ended = await desk.issue(desk.order("late", seconds=-5), desk.order("slow", seconds=1.5))

    stuck.set()
    assert ended == [("late", "expired"), ("slow", "expired")]


async def test_what_hangs_keeps_no_block_waiting_and_what_is_done_is_told_at_once(desk: Desk) -> None:
    """A log on a file system that is gone, a capture of five minutes: told behind it, a block done in time
    would be past its deadline at the collector."""
    stuck = threading.Event()

    def hangs(_: Asked) -> Finished:
        stuck.wait(20)
        return Finished({})

    desk.probe.does = hangs
    desk.far.orders += [desk.order("slow"), desk.order("block", "block_address", address="203.0.113.9")]
    async with Tasks() as tasks:
        tasks.spawn("orders", desk.orders.run())
        await desk.far.until(lambda: bool(desk.far.outcomes), 5)
        assert [(one.order, one.state) for one in desk.far.outcomes] == [("block", "done")]
        stuck.set()
        await desk.far.until(lambda: len(desk.far.outcomes) == 2)
    assert (desk.probe.runs, desk.block.runs) == (1, 1)


async def test_blocks_are_made_one_after_the_other_as_they_were_given(desk: Desk) -> None:
    made: list[str] = []
    first = threading.Event()

    def blocks(asked: Asked) -> Finished:
        if asked.order.id == "o1":
            first.wait(0.2)
        made.append(asked.order.id)
        return Finished({})

    desk.block.does = blocks

    await desk.issue(*(desk.order(f"o{n}", "block_address", address=f"203.0.113.{n}") for n in range(1, 5)))

    assert made == ["o1", "o2", "o3", "o4"]


async def test_times_without_an_offset_are_refused_and_end_nothing(desk: Desk) -> None:
    """A signed order that nobody can judge: the agent goes on, and does the next one."""
    order = Order(
        id="o1",
        node="node-1",
        kind="collect_evidence",
        params={},
        issued_at=desk.clock.now().replace(tzinfo=None),
        deadline=(desk.clock.now() + timedelta(minutes=1)).replace(tzinfo=None),
    )

    ended = await desk.issue(desk.far.authority.signed(order), desk.order("o2"))

    assert ended == [("o1", "refused"), ("o2", "done")]
    assert "offset" in desk.far.outcomes[0].detail["why"]


async def test_what_times_out_before_its_deadline_has_failed_and_says_why(desk: Desk) -> None:
    def hangs_in_the_kernel(_: Asked) -> Finished:
        raise TimeoutError("process 7 did not end; it hangs in the kernel")

    desk.probe.does = hangs_in_the_kernel

    assert await desk.issue(desk.order()) == [("o1", "failed")]
    assert "hangs in the kernel" in desk.far.outcomes[0].detail["why"]


async def test_an_outcome_that_a_collector_fails_on_keeps_no_other_and_no_order_waiting(desk: Desk) -> None:
    async def outcome(request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=500) if b'"o1"' in await request.read() else None

    desk.far.behave["/v1/outcomes"] = outcome
    desk.far.orders += [desk.order("o1"), desk.order("o2")]
    async with Tasks() as tasks:
        tasks.spawn("orders", desk.orders.run())
        await desk.far.until(lambda: bool(desk.far.outcomes))
        assert [(one.order, one.state) for one in desk.far.outcomes] == [("o2", "done")]
        desk.far.orders.append(desk.order("o3"))
        await desk.far.until(lambda: {one.order for one in desk.far.outcomes} == {"o2", "o3"})


async def test_a_clock_that_is_set_while_an_order_waits_for_its_turn_expires_nothing(desk: Desk) -> None:
    real, off = desk.clock.now, [timedelta()]
    desk.orders._now = lambda: real() + off[0]

    def sets_the_clock(_: Asked) -> Finished:
        off[0] += timedelta(days=1)
        return Finished({})

    desk.probe.does = sets_the_clock

    assert await desk.issue(*(desk.order(f"o{n}") for n in range(3))) == [(f"o{n}", "done") for n in range(3)]


async def test_parameters_of_another_form_never_reach_the_action(desk: Desk) -> None:
    assert await desk.issue(desk.order(items=["shell"])) == [("o1", "refused")]

    assert "params.items" in desk.far.outcomes[0].detail["why"]
    assert desk.probe.runs == 0


async def test_an_order_for_another_node_is_refused_and_counted(desk: Desk) -> None:
    assert await desk.issue(desk.order(node="node-2")) == [("o1", "refused")]

    assert (desk.probe.runs, desk.orders.unbelieved) == (0, 1)


async def test_an_order_that_was_changed_on_its_way_is_refused_and_counted(desk: Desk) -> None:
    signed = desk.order()
    changed = msgspec.structs.replace(signed, body=signed.body.replace(b"node-1", b"node-2"))

    assert await desk.issue(changed) == [("o1", "refused")]
    assert "signature" in desk.far.outcomes[0].detail["why"]
    assert (desk.probe.runs, desk.orders.unbelieved) == (0, 1)


async def test_a_signature_taken_from_another_order_signs_nothing(desk: Desk) -> None:
    other = desk.order("o0")
    replayed = msgspec.structs.replace(other, id="o1")

    assert await desk.issue(replayed) == [("o1", "refused")]
    assert desk.probe.runs == 0


async def test_a_deadline_beyond_what_a_node_remembers_is_refused(desk: Desk) -> None:
    assert await desk.issue(desk.order(seconds=8 * 86400)) == [("o1", "refused")]


async def test_a_wrong_clock_of_this_node_expires_nothing(desk: Desk) -> None:
    real = desk.clock.now
    desk.orders._now = lambda: real() + timedelta(days=400)

    assert await desk.issue(desk.order()) == [("o1", "done")]


async def test_an_order_that_cannot_be_read_is_refused_and_hides_no_other(desk: Desk) -> None:
    async def poll(_: web.Request) -> web.StreamResponse | None:
        odd = {"id": "odd", "body": 3, "certificate": [], "signature": "soon"}
        return web.json_response({"version": 1, "orders": [odd]})

    desk.far.behave["/v1/orders"] = poll
    async with Tasks() as tasks:
        tasks.spawn("orders", desk.orders.run())
        await desk.far.until(lambda: bool(desk.far.outcomes))

    assert desk.far.outcomes[0].state == "refused"


async def test_an_outcome_is_sent_until_it_is_taken(desk: Desk) -> None:
    answers = iter([503, 500])

    async def outcome(request: web.Request) -> web.StreamResponse | None:
        await request.read()
        status = next(answers, None)
        return web.Response(status=status) if status else None

    desk.far.behave["/v1/outcomes"] = outcome

    assert await desk.issue(desk.order()) == [("o1", "done")]
    assert desk.probe.runs == 1
    assert len(desk.waits) >= 2


async def test_an_outcome_that_the_collector_can_never_take_is_not_sent_for_ever(desk: Desk) -> None:
    gone = 0

    async def outcome(request: web.Request) -> web.StreamResponse | None:
        nonlocal gone
        await request.read()
        gone += 1
        return web.Response(status=404 if gone == 1 else 410)

    desk.far.behave["/v1/outcomes"] = outcome
    desk.far.orders.append(desk.order())
    async with Tasks() as tasks:
        tasks.spawn("orders", desk.orders.run())
        await desk.far.until(lambda: gone >= 1)
        async with asyncio.timeout(10):
            while await desk.outbox.untold_outcomes():  # noqa: ASYNC110 - a row is awaited, no event of ours
                await asyncio.sleep(0.01)


async def test_a_collector_that_fails_is_asked_again_after_a_wait(desk: Desk) -> None:
    answers = iter([500, 403])

    async def poll(_: web.Request) -> web.StreamResponse | None:
        status = next(answers, None)
        return web.Response(status=status) if status else None

    desk.far.behave["/v1/orders"] = poll

    assert await desk.issue(desk.order()) == [("o1", "done")]
    assert desk.waits[:2] == [0.5, 1.0]


async def test_what_became_of_orders_is_counted_by_kinds_of_a_closed_list(desk: Desk) -> None:
    rescan = desk.order("o3", "rescan")
    forged = msgspec.structs.replace(rescan, body=b'{"kind": "run_anything"}', id="o4")
    await desk.issue(desk.order(), desk.order("o2", "stop_process"), rescan, forged)

    assert desk.orders.ended == {
        ("collect_evidence", "done"): 1,
        ("stop_process", "refused"): 1,
        ("rescan", "refused"): 1,
        ("unknown", "refused"): 1,
    }


async def test_the_poll_says_up_to_where_the_orders_have_come(desk: Desk) -> None:
    said: list[str | None] = []

    async def poll(request: web.Request) -> web.StreamResponse | None:
        said.append(request.query.get("after"))
        return None

    desk.far.behave["/v1/orders"] = poll

    await desk.issue(desk.order("o1"), desk.order("o2"))
    await desk.far.until(lambda: len(said) > 1)

    assert said[:2] == [None, "o2"]
