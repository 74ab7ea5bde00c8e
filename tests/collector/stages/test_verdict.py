from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from collector.registry import SanctionedExit
from collector.stages import Item
from collector.stages.enrich import Enrich
from collector.stages.verdict import Verdict
from collector.store.engine import Store
from collector.store.exit_days import latest
from collector.store.facts import NodeRow

if TYPE_CHECKING:
    from tests.conftest import Office

MakeItem = Callable[..., Item]
EXITS: dict[str, Any] = {
    "links": [{"name": "usb0", "kind": "usb_tether", "addresses": [{"address": "9.9.9.7"}]}],
    "routes": [{"family": 4, "destination": "0.0.0.0/0", "gateway": "9.9.9.1", "interface": "usb0"}],
}


class Judge:
    """Enrich and verdict, for a node of the power company's grid in the extranet."""

    def __init__(self, state: Store, office: "Office") -> None:
        self.state = state
        self.stages = (Enrich(lambda: office.registry), Verdict(lambda: office.registry))

    async def hear(self, item: Item) -> dict[str, str]:
        node = NodeRow(id="n", unit="power", host_name="h", assets=["grid"])
        left: Item | None = replace(item, node=node)
        async with self.state.write() as conn:
            for stage in self.stages:
                assert left is not None
                left = await stage.apply(conn, left)
        assert left is not None
        return {one.key: one.judged.verdict if one.judged else "gone" for one in left.changes}


@pytest.fixture
def judge(sqlite_state: Store, office: "Office") -> Judge:
    return Judge(sqlite_state, office)


async def test_each_fact_that_a_verdict_rests_on_judges_anew(judge: Judge, make_item: MakeItem) -> None:
    service = {"protocol": "tcp", "address": "9.9.9.7", "port": 22}
    talk = {"local_address": "9.9.9.7", "remote_address": "8.8.8.8"}
    way = "way/usb0/9.9.9.1/4"

    assert await judge.hear(make_item("asset", {"listening_services": [service]})) == {}
    assert await judge.hear(make_item("exits", EXITS)) == {
        way: "available",
        "service/tcp/22": "exposed_service",
    }
    assert (await judge.hear(make_item("sockets", {"connections": [talk]})))[way] == "used"
    assert (await judge.hear(make_item("sockets", {})))[way] == "available"
    assert await judge.hear(make_item("asset", {})) == {way: "available", "service/tcp/22": "gone"}


async def test_other_reports_judge_nothing(judge: Judge, make_item: MakeItem) -> None:
    await judge.hear(make_item("exits", EXITS))

    assert await judge.hear(make_item("heartbeat", {})) == {}


async def test_the_unit_is_counted_by_the_register_as_it_stands_now(
    judge: Judge, make_item: MakeItem, office: "Office"
) -> None:
    """A report of another kind is enough: the register may change while no verdict does."""
    told = make_item("exits", EXITS)
    await judge.hear(told)
    exit_ = SanctionedExit(id="a", name="A", unit="power", zones=("extranet",))
    office.registry = replace(office.registry, exits={"a": exit_})
    await judge.hear(replace(make_item("heartbeat", {}), received_at=told.received_at + timedelta(minutes=2)))

    async with judge.state.read() as conn:
        (day,) = await latest(conn)
    assert (day.unit, day.declared, day.observed) == ("power", 1, 1)
