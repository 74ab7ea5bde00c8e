"""The agents' routes."""

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
