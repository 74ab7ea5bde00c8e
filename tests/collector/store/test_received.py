from datetime import UTC, datetime, timedelta

from collector.store import journal
from collector.store.engine import Store
from collector.store.received import add_received
from wire.messages import VERSION, Filing

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def message(key: str = "k") -> Filing:
    return Filing(
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


async def test_what_is_received_twice_is_stored_once_and_gets_the_same_receipt(state: Store) -> None:
    async with state.write() as conn:
        first = await add_received(conn, node="n", message=message(), sha256="ab", now=NOON)
    async with state.write() as conn:
        later = NOON + timedelta(minutes=1)
        again = await add_received(conn, node="n", message=message(), sha256="cd", now=later)
        other = await add_received(conn, node="n", message=message("k2"), sha256="ef", now=NOON)

    assert first.receipt("city") == again.receipt("city")
    assert first.number < other.number
    async with state.read() as conn:
        told = [row.action async for row in journal.read_chains(conn)]
    assert told == ["filing.received", "filing.received"]
