"""What every stage of the pipeline owes: it writes by its connection alone, and passes on or ends."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import sqlalchemy as sa

from collector.classes import Classes, read_classes
from collector.stages import Item, Stage, stages
from collector.stages.bodies import decode_body
from collector.store import schema
from collector.store.engine import Store
from collector.store.facts import NodeRow

if TYPE_CHECKING:
    from tests.conftest import Office
    from wire.messages import ReportKind

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
CLASSES = Path(__file__).parents[2] / "configs/classes.yaml"
NAMES = ("enrich", "upkeep", "clones", "verdict", "register", "dedup", "custody", "correlate")
KEPT = ("custody", "evidence")  # a stage that keeps what it is given passes nothing on
BODIES: dict[str, dict[str, Any]] = {
    "heartbeat": {"version": "1"},
    "asset": {"host_name": "h", "assets": [{"id": "portal", "mlps_grade": 1}]},
    "exits": {
        "links": [{"name": "tun0", "kind": "tun", "state": "up", "addresses": [{"address": "10.8.0.2"}]}],
        "routes": [{"family": 4, "destination": "0.0.0.0/0", "interface": "tun0"}],
    },
    "sockets": {"connections": []},
    "incident": {
        "key": "files:/srv",
        "class": "NAWEBMOD",
        "first_seen": "2026-03-02T03:59:00Z",
        "last_seen": "2026-03-02T03:59:00Z",
    },
    "evidence": {"name": "routes.txt", "size": 1},
    "gap": {"kind": "logins", "count": 3},
}


@pytest.fixture
def chain(office: "Office") -> tuple[Stage, ...]:
    classes: Classes = read_classes(CLASSES.read_text("utf-8"), "classes.yaml")
    casework = office.casework
    return stages(lambda: office.registry, lambda: classes, casework.open, casework.note)


@pytest.fixture(params=NAMES)
def stage(request: pytest.FixtureRequest, chain: tuple[Stage, ...]) -> Stage:
    return {one.name: one for one in chain}[request.param]


@pytest.fixture(params=list(BODIES))
def item(request: pytest.FixtureRequest) -> Item:
    return make(request.param)


def make(kind: "ReportKind") -> Item:
    raw = msgspec.Raw(msgspec.json.encode(BODIES[kind]))
    return Item(
        id=f"report-{kind}",
        place="1/e/1",
        kind=kind,
        node=NodeRow(id="n", unit="county", host_name="web-1", assets=["portal"]),
        source=kind,
        observed_at=NOON,
        received_at=NOON,
        raw=raw,
        body=decode_body(kind, raw),
        now=NOON,
    )


async def everything(state: Store) -> dict[str, list[dict[str, Any]]]:
    async with state.read() as conn:
        return {
            name: [dict(row) for row in (await conn.execute(sa.select(table))).mappings()]
            for name, table in schema.metadata.tables.items()
        }


def test_the_stages_act_in_this_order(chain: tuple[Stage, ...]) -> None:
    assert tuple(one.name for one in chain) == NAMES


async def test_a_first_report_goes_on_to_the_next_stage(
    sqlite_state: Store, stage: Stage, item: Item
) -> None:
    async with sqlite_state.write() as conn:
        left = await stage.apply(conn, item)

    if (stage.name, item.kind) == KEPT:
        assert left is None
        return
    assert left is not None
    assert (left.id, left.kind, left.body) == (item.id, item.kind, item.body)


async def test_what_is_rolled_back_leaves_nothing_behind(
    sqlite_state: Store, stage: Stage, item: Item
) -> None:
    before = await everything(sqlite_state)

    async def break_off() -> None:
        async with sqlite_state.write() as conn:
            await stage.apply(conn, item)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await break_off()
    assert await everything(sqlite_state) == before
    # And it does the same again as if it had never been there.
    async with sqlite_state.write() as conn:
        left = await stage.apply(conn, item)
    assert (left is None) == ((stage.name, item.kind) == KEPT)


@pytest.mark.parametrize("kind", list(BODIES))
async def test_the_chain_bears_every_kind_twice_and_on_both_databases(
    state: Store, chain: tuple[Stage, ...], kind: "ReportKind"
) -> None:
    ends: list[Item | None] = []
    for _ in range(2):
        left: Item | None = make(kind)
        async with state.write() as conn:
            for one in chain:
                left = await one.apply(conn, left) if left else None
        ends.append(left)

    assert (ends[0] is None) == (kind == "evidence")
    assert (ends[1] is None) == (kind in {"evidence", "incident"})
