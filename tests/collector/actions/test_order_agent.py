"""Ordering the incident's node."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from collector.actions.order_agent import DEFAULT_DEADLINE, OrderAgent
from collector.actions.port import Done, Failed, Skipped, Waiting
from collector.plans.model import OrderAgent as OrderStep
from collector.plans.model import Text
from collector.store.orders import end_order, order_of
from wire.messages import VERSION, Outcome

if TYPE_CHECKING:
    from tests.collector.actions.conftest import Visit

STEP = OrderStep(
    title=Text(zh="令", en="order"), owner="duty", order="collect_evidence", params={"items": ["routes"]}
)


async def ask(visit: "Visit", **changes: Any) -> Any:  # noqa: ANN401 - any result
    async with visit.store.write() as conn:
        return await OrderAgent(visit.surroundings).begin(conn, visit.of(STEP, **changes))


async def look(visit: "Visit") -> Any:  # noqa: ANN401 - any result
    async with visit.store.write() as conn:
        return await OrderAgent(visit.surroundings).poll(conn, visit.of(STEP))


async def end(visit: "Visit", state: Any) -> str:  # noqa: ANN401 - a literal of the wire
    now = visit.of(STEP).now
    async with visit.store.write() as conn:
        order = await order_of(conn, "run-1/step-1/1")
        assert order is not None
        outcome = Outcome(version=VERSION, order=order.id, state=state, at=now, detail={"why": "not allowed"})
        assert await end_order(conn, outcome, "node-1", now)
    return order.id


async def test_the_node_that_saw_the_incident_gets_the_order_until_the_steps_deadline(visit: "Visit") -> None:
    result = await ask(visit)

    deadline = visit.of(STEP).deadline
    assert result == Waiting(deadline)
    async with visit.store.read() as conn:
        order = await order_of(conn, "run-1/step-1/1")
    assert order is not None
    assert (order.node, order.kind, order.params) == ("node-1", "collect_evidence", {"items": ["routes"]})
    assert order.deadline == deadline


async def test_ordered_again_after_a_crash_is_ordered_once(visit: "Visit") -> None:
    assert await ask(visit) == await ask(visit) == await look(visit)


async def test_what_the_node_made_of_it_is_the_steps_result(visit: "Visit") -> None:
    await ask(visit)

    order = await end(visit, "done")

    assert await look(visit) == Done({"order": order, "state": "done", "detail": {"why": "not allowed"}})


async def test_a_refusal_fails_the_step_with_the_nodes_reason(visit: "Visit") -> None:
    await ask(visit)
    await end(visit, "refused")

    assert await look(visit) == Failed("the node's outcome is refused: not allowed")


async def test_an_incident_without_a_node_has_none_to_order(visit: "Visit") -> None:
    assert visit.incident is not None
    visit.incident = replace(visit.incident, node=None)

    assert isinstance(await ask(visit), Failed)


async def test_a_drill_orders_a_dry_run(visit: "Visit") -> None:
    await ask(visit, drill=True)

    async with visit.store.read() as conn:
        order = await order_of(conn, visit.of(STEP).key)
    assert order is not None
    assert order.dry_run


async def test_a_drill_in_which_no_node_takes_part_orders_nothing(visit: "Visit") -> None:
    visit.incident = None

    assert isinstance(await ask(visit, drill=True), Skipped)


async def test_a_step_without_deadline_orders_with_one(visit: "Visit") -> None:
    result = await ask(visit, deadline=None)

    assert result == Waiting(visit.of(STEP).now + DEFAULT_DEADLINE)
    assert timedelta(0) < DEFAULT_DEADLINE
