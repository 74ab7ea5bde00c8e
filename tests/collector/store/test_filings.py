"""Filings on SQLite and on PostgreSQL: one a key on both ends, and a receipt that is always the first one."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from collector.store import journal, schema
from collector.store.engine import Store
from collector.store.filings import (
    Filing,
    add_filing,
    claim_filings,
    filing_of,
    filings_of,
    next_filing_at,
    oldest_unsent,
    owed_unfiled,
    record_failure,
    record_proof,
    record_receipt,
)
from wire.messages import VERSION, Receipt
from wire.messages import Filing as Message

if TYPE_CHECKING:
    from collector.store.filings import Way
    from tests.conftest import Office

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)


def message(key: str = "k") -> Message:
    return Message(
        version=VERSION,
        key=key,
        incident_id="i",
        unit="county",
        obligation="cn-informatization/report",
        recipient="informatization_authority",
        level="IV",
        filed_at=NOON,
        due_at=None,
        complete=False,
        incident={"class": "NAWEBMOD"},
        content={},
    )


def receipt(at: datetime = NOON) -> Receipt:
    return Receipt(version=VERSION, key="k", number=7, received_at=at, sha256="ab", issuer="city")


async def add(state: Store, key: str = "k", way: "Way" = "upstream") -> tuple[str, bool]:
    async with state.write() as conn:
        return await add_filing(conn, message=message(key), clock="c", way=way, actor="user:wang", now=NOON)


async def claim(state: Store, at: datetime = NOON) -> list[Filing]:
    async with state.write() as conn:
        return await claim_filings(conn, owner="a", now=at, lease=LEASE, limit=5)


async def actions(state: Store) -> list[str]:
    async with state.read() as conn:
        return [row.action async for row in journal.read_chains(conn)]


async def test_an_obligation_is_filed_once(state: Store) -> None:
    first, new = await add(state)
    assert (await add(state), new) == ((first, False), True)
    assert await actions(state) == ["filing.queued"]


async def test_a_receipt_ends_a_filing_with_the_time_it_was_filed(state: Store) -> None:
    await add(state)
    (filing,) = await claim(state)
    async with state.write() as conn:
        assert await record_receipt(conn, filing, receipt(), filed_at=NOON, now=NOON)

    async with state.read() as conn:
        (after,) = await filings_of(conn, "i")
        assert await next_filing_at(conn) is None
        assert await oldest_unsent(conn) is None
    assert (after.state, after.filed_at, after.receipt_at) == ("receipted", NOON, NOON)
    assert after.receipt == {
        "version": 1,
        "key": "k",
        "number": 7,
        "received_at": "2026-03-02T04:00:00Z",
        "sha256": "ab",
        "issuer": "city",
    }
    assert await actions(state) == ["filing.queued", "filing.sent", "filing.receipted"]


async def test_a_slow_senders_receipt_is_not_taken_after_another_claimed(state: Store) -> None:
    await add(state)
    (slow,) = await claim(state)
    (fast,) = await claim(state, NOON + LEASE)
    async with state.write() as conn:
        assert not await record_receipt(conn, slow, receipt(), filed_at=NOON, now=NOON)
        assert not await record_failure(conn, slow, refused=True, why="", next_at=NOON, now=NOON)
        assert await record_receipt(conn, fast, receipt(), filed_at=NOON, now=NOON)


async def test_what_did_not_arrive_is_not_filed_and_due_again(state: Store) -> None:
    await add(state)
    for _ in range(2):
        (filing,) = await claim(state)
        async with state.write() as conn:
            await record_failure(conn, filing, refused=False, why="down", next_at=NOON, now=NOON)

    async with state.read() as conn:
        after = await filing_of(conn, "k")
        assert await next_filing_at(conn) == NOON
        assert await oldest_unsent(conn) == NOON
    assert after is not None
    assert (after.state, after.filed_at, after.result) == ("waiting", None, {"why": "down"})
    assert await actions(state) == ["filing.queued", "filing.sent"]


async def test_a_refused_filing_waits_for_a_person(state: Store) -> None:
    await add(state)
    (filing,) = await claim(state)
    async with state.write() as conn:
        await record_failure(conn, filing, refused=True, why="malformed", next_at=NOON, now=NOON)

    assert await claim(state, NOON + LEASE) == []


async def test_a_persons_proof_counts_and_the_first_one_stays(state: Store) -> None:
    await add(state, way="person")
    assert await claim(state) == []
    async with state.read() as conn:
        filing = await filing_of(conn, "k")
    assert filing is not None
    proof = {"by": "fax", "number": "12"}
    async with state.write() as conn:
        for receipt_at in (None, NOON):
            assert await record_proof(
                conn,
                filing,
                filed_at=NOON,
                receipt_at=receipt_at,
                proof=proof,
                actor="person:wang",
                now=NOON,
            )
        assert not await record_proof(
            conn, filing, filed_at=NOON, receipt_at=NOON, proof={}, actor="person:li", now=NOON
        )

    assert await actions(state) == ["filing.queued", "filing.sent", "filing.receipted"]


async def test_owed_is_an_open_clock_without_filing_toward_these_recipients(
    state: Store, office: "Office"
) -> None:
    recipients = frozenset({"informatization_authority"})
    async with state.write() as conn:
        incident = await office.casework.open(conn, office.finding(NOON), NOON, NOON)
        (owed,) = await owed_unfiled(conn, recipients)
        assert await owed_unfiled(conn, frozenset({"nobody"})) == []
        assert (owed.incident, owed.obligation) == (incident, "cn-informatization/report")
        await add_filing(conn, message=message(), clock=owed.id, way="upstream", actor="system", now=NOON)
        assert await owed_unfiled(conn, recipients) == []


async def test_what_needs_a_person_is_not_filed_by_itself(state: Store, office: "Office") -> None:
    recipients = frozenset({"informatization_authority"})
    async with state.write() as conn:
        await office.casework.open(conn, office.finding(NOON), NOON, NOON)
        assert len(await owed_unfiled(conn, recipients)) == 1
        for anchor in ("filed:first", "handled", "intermediate_requested"):
            await conn.execute(schema.clocks.update().values(anchor=anchor))
            assert await owed_unfiled(conn, recipients) == []
        await conn.execute(schema.clocks.update().values(anchor="aware"))
