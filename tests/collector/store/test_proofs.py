from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from collector.store.engine import Store
from collector.store.proofs import Proof, proofs_of
from collector.store.schema import filings

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def row(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - the columns of a filing
    values = {
        "id": name,
        "key": name,
        "incident": "i",
        "clock": "c",
        "obligation": "law/first",
        "recipient": "police",
        "way": "person",
        "state": "waiting",
        "payload": {},
        "created_at": NINE,
        "next_at": NINE,
        "filed_at": NINE,
        "receipt_at": None,
    }
    return values | changes


async def test_what_was_filed_counts_by_when_it_was_and_whether_it_arrived(sqlite_state: Store) -> None:
    later = NINE + timedelta(hours=1)
    rows = [
        row("late", filed_at=later, payload={"complete": False}),
        row("queued", filed_at=None),
        row("arrived", receipt_at=later, payload={"complete": True}),
        row("other", incident="j"),
        row("stranger", incident="k"),
    ]
    async with sqlite_state.write() as connection:
        await connection.execute(sa.insert(filings), rows)
        found = await proofs_of(connection, ["i", "j"])

    assert found == {
        "i": [
            Proof(id="arrived", clock="c", at=NINE, receipt_at=later, complete=True),
            Proof(id="late", clock="c", at=later, receipt_at=None, complete=False),
        ],
        "j": [Proof(id="other", clock="c", at=NINE, receipt_at=None, complete=True)],
    }
