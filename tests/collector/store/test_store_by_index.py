"""What flows ask every second is answered by an index, however much is over."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from collector.store.clocks import count_overdue
from collector.store.engine import Store
from collector.store.filings import claim_filings, next_filing_at, owed_unfiled
from collector.store.filings import oldest_unsent as oldest_filing
from collector.store.notices import claim_notices, next_notice_at, oldest_unsent

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLAIM: dict[str, Any] = {"owner": "a", "now": NOON, "lease": timedelta(minutes=1), "limit": 10}
ASKED: dict[str, Callable[[AsyncConnection], Awaitable[object]]] = {
    "claim_notices": lambda conn: claim_notices(conn, **CLAIM),
    "next_notice_at": next_notice_at,
    "oldest_notice": oldest_unsent,
    "claim_filings": lambda conn: claim_filings(conn, **CLAIM),
    "next_filing_at": next_filing_at,
    "oldest_filing": oldest_filing,
    "count_overdue": lambda conn: count_overdue(conn, NOON),
    "owed_unfiled": lambda conn: owed_unfiled(conn, frozenset({"informatization_authority"})),
}


@pytest.mark.parametrize("name", ASKED)
async def test_a_question_of_every_second_reads_no_whole_table(sqlite_state: Store, name: str) -> None:
    said: list[tuple[str, Any]] = []

    def hear(*call: Any) -> None:  # noqa: ANN401 - SQLAlchemy's event
        said.append((call[2], call[3]))

    async with sqlite_state.write() as conn:
        engine = sqlite_state.engine.sync_engine
        sa.event.listen(engine, "before_cursor_execute", hear)
        await ASKED[name](conn)
        sa.event.remove(engine, "before_cursor_execute", hear)
        questions = [call for call in said if call[0].startswith("SELECT")]
        assert questions
        for statement, values in questions:
            plan = [
                str(row[-1]) for row in await conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            ]

            scanned = {step.split()[1] for step in plan if step.startswith("SCAN") and " USING " not in step}
            assert scanned & {"notices", "filings", "clocks", "incidents"} == set(), plan
