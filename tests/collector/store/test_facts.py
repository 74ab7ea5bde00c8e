from datetime import UTC, datetime, timedelta
from typing import Any

from collector.store import facts, schema
from collector.store.engine import Store
from collector.store.facts import Fact, Sign
from collector.store.nodes import NodeRow, add_node, node

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def fact(kind: str = "asset", at: datetime = NOON, **body: Any) -> Fact:  # noqa: ANN401 - any JSON
    return Fact(kind=kind, body=body, observed_at=at, received_at=at)


async def enrol(state: Store, *names: str) -> None:
    async with state.write() as conn:
        for name in names:
            row = NodeRow(
                id=name,
                unit="county",
                kind="agent",
                state="active",
                host_name=name,
                machine_id="",
                assets=["portal"],
                certificate_serial="1",
                certificate_expires=NOON,
                enrolled_at=NOON,
            )
            await add_node(conn, row)


async def test_the_newest_told_of_a_kind_is_kept_and_the_first_one_is_said(state: Store) -> None:
    async with state.write() as conn:
        assert await facts.put_fact(conn, "n", fact(v=1))
        # A host whose clock was set back goes on telling the truth.
        assert not await facts.put_fact(conn, "n", fact(at=NOON - timedelta(hours=1), v=2))
        assert await facts.put_fact(conn, "n", fact("exits", v=3))
        found = await facts.facts_of(conn, "n")

    assert {kind: one.body["v"] for kind, one in found.items()} == {"asset": 2, "exits": 3}


async def test_a_fleets_heartbeats_are_written_at_once(state: Store) -> None:
    async with state.write() as conn:
        await facts.put_heartbeats(conn, {})
        await facts.put_heartbeats(conn, {"a": fact("heartbeat", v=1), "b": fact("heartbeat", v=1)})
        await facts.put_heartbeats(conn, {"a": fact("heartbeat", v=2)})
        found = [(await facts.facts_of(conn, name))["heartbeat"].body["v"] for name in "ab"]

    assert found == [2, 1]


async def test_a_sign_of_life_keeps_the_version_it_does_not_tell(state: Store) -> None:
    await enrol(state, "a", "b")
    later = NOON + timedelta(minutes=1)
    async with state.write() as conn:
        await facts.put_signs(conn, [])
        await facts.put_signs(
            conn,
            [
                Sign(node="a", last_seen=NOON, skew_seconds=0.5, agent_version="1"),
                Sign(node="b", last_seen=NOON, skew_seconds=None),
            ],
        )
        await facts.put_signs(conn, [Sign(node="a", last_seen=later, skew_seconds=-2.0)])
        a, b = await node(conn, "a"), await node(conn, "b")

    assert a is not None
    assert b is not None
    assert (a.last_seen, a.skew_seconds, a.agent_version) == (later, -2.0, "1")
    assert (b.last_seen, b.skew_seconds, b.agent_version) == (NOON, None, None)


async def test_nodes_and_their_findings(state: Store) -> None:
    await enrol(state, "a")
    finding = {"kind": "grade_differs", "asset": "portal"}
    async with state.write() as conn:
        assert await facts.findings_of(conn, "a") == []
        await facts.set_findings(conn, "a", [finding])
        assert await facts.findings_of(conn, "a") == [finding]
        assert (await facts.node_rows(conn, ["a", "x"]))["a"].assets == ["portal"]


async def test_a_report_id_is_new_once_a_node_until_it_is_forgotten(state: Store) -> None:
    async with state.write() as conn:
        assert await facts.first_sight(conn, "a", "r", NOON)
        assert not await facts.first_sight(conn, "a", "r", NOON)
        assert await facts.first_sight(conn, "b", "r", NOON + timedelta(days=1))
        await facts.forget(conn, NOON + timedelta(hours=1))
        assert await facts.first_sight(conn, "a", "r", NOON)
        assert not await facts.first_sight(conn, "b", "r", NOON)


async def test_quarantine_keeps_the_beginning_of_what_could_not_be_read(state: Store) -> None:
    async with state.write() as conn:
        await facts.add_quarantine(conn, source="a", where="1/e/1", why="w", body=b"x" * 100_000, now=NOON)
        assert await facts.count_quarantine(conn) == 1
        assert await facts.in_quarantine(conn, "a", "w")
        assert not await facts.in_quarantine(conn, "b", "w")
        body = (await conn.execute(schema.quarantine.select())).mappings().one()["body"]

        await facts.forget(conn, NOON)
        assert await facts.count_quarantine(conn) == 1
        await facts.forget(conn, NOON + timedelta(seconds=1))
        assert await facts.count_quarantine(conn) == 0

    assert len(body) == facts.MAX_QUARANTINED_BYTES
