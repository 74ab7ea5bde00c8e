"""The agents' routes."""

import asyncio
import time

import msgspec

from agent.signatures import Signatures
from tests.collector.ingest.tower import Tower
from wire.messages import Order, Orders


async def test_the_poll_for_orders_ends_when_it_was_asked_to(tower: Tower) -> None:
    agent = await tower.enrol()
    begun = time.monotonic()
    async with tower.session(agent) as session, session.get("/v1/orders?wait=1") as answer:
        assert (answer.status, await answer.json()) == (200, {"version": 1, "orders": []})
    assert 0.9 < time.monotonic() - begun < 5


async def test_the_poll_for_orders_is_answered_by_an_order(tower: Tower) -> None:
    agent = await tower.enrol()
    order = Order(
        id="o1",
        node=agent.node,
        kind="collect_evidence",
        params={"items": []},
        issued_at=tower.now,
        deadline=tower.now,
    )
    tower.orders.append((agent.node, order))
    tower.store.changed.fire()
    async with tower.session(agent) as session, session.get("/v1/orders") as answer:
        said = msgspec.json.decode(await answer.read(), type=Orders)
    signatures = Signatures(tower.authority.trusted.encode())
    bodies = [signatures.open(signed, "order", tower.now) for signed in said.orders]
    assert [msgspec.json.decode(body, type=Order) for body in bodies] == [order]


async def test_every_route_but_enrolment_is_closed_to_strangers(tower: Tower) -> None:
    routes = tower.listener._routes
    names = ["batches", "drills", "enrol", "filings", "orders", "outcomes", "program"]
    assert sorted(routes) == [f"/v1/{name}" for name in names]
    assert [path for path, route in routes.items() if route.strangers] == ["/v1/enrol"]


async def test_orders_that_no_agent_would_take_in_one_answer_all_come_in_time(tower: Tower) -> None:
    agent = await tower.enrol()
    for number in range(60):
        order = Order(
            id=f"o{number:03}",
            node=agent.node,
            kind="apply_settings",
            params={"version": number + 1, "settings": {"internal": ["x" * 90_000]}},
            issued_at=tower.now,
            deadline=tower.now,
        )
        tower.orders.append((agent.node, order))
    tower.store.changed.fire()
    got: list[str] = []
    async with tower.session(agent) as session, asyncio.timeout(20):
        while len(got) < 60:
            after = f"&after={got[-1]}" if got else ""
            async with session.get(f"/v1/orders?wait=10{after}") as answer:
                body = await answer.read()
            assert len(body) < 4 * 1024 * 1024, "an agent takes no more"
            got += [signed.id for signed in msgspec.json.decode(body, type=Orders).orders]
    assert got == [order.id for _, order in tower.orders]
