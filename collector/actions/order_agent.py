"""Order the incident's node to do one typed thing, and wait for its outcome; in a drill as a dry run."""

from datetime import timedelta
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncConnection

from ..plans.model import OrderAgent as OrderStep
from ..store.orders import OrderRow, add_order, order_of
from .port import Done, Failed, Result, Skipped, StepContext, Surroundings, Waiting

DEFAULT_DEADLINE = timedelta(minutes=10)


class OrderAgent:
    """The order is a row that the node fetches; its outcome wakes the step."""

    kind: ClassVar[str] = "order_agent"

    def __init__(self, surroundings: Surroundings, /) -> None:
        del surroundings

    async def begin(self, conn: AsyncConnection, context: StepContext, /) -> Result:
        """Issue the order once; fails where the incident was seen by no node."""
        step = context.step
        assert isinstance(step, OrderStep)  # noqa: S101 - the runner asks by kind
        if context.drill and (context.incident is None or context.incident.node is None):
            return Skipped("no node takes part in the drill, so there is none to give an order to")
        if context.incident is None or context.incident.node is None:
            return Failed("the incident was reported by no node, so there is none to give an order to")
        order = await add_order(
            conn,
            key=context.key,
            node=context.incident.node,
            incident=context.incident.id,
            kind=step.order,
            params=step.params,
            deadline=context.deadline or context.now + DEFAULT_DEADLINE,
            now=context.now,
            dry_run=context.drill,
        )
        return _result(order)

    async def poll(self, conn: AsyncConnection, context: StepContext, /) -> Result:
        """See what the node made of it."""
        order = await order_of(conn, context.key)
        return _result(order) if order is not None else await self.begin(conn, context)


def _result(order: OrderRow) -> Result:
    if order.state == "open":
        return Waiting(order.deadline)
    if order.state == "done":
        return Done({"order": order.id, "state": order.state, "detail": order.detail or {}})
    why = (order.detail or {}).get("why", "no reason given")
    return Failed(f"the node's outcome is {order.state}: {why}")
