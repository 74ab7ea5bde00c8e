"""Where the pipeline stands, and what it has seen."""

import pytest
import sqlalchemy as sa

from collector.store.engine import Store
from collector.store.schema import cursors, seen_reports
from tests.collector.store.schema.test_columns import NINE


async def test_a_position_is_wide_enough_for_microseconds_since_1970(state: Store) -> None:
    async with state.write() as connection:
        await connection.execute(sa.insert(cursors), {"name": "x", "position": 2**62})
        assert (await connection.execute(sa.select(cursors.c.position))).scalar_one() == 2**62


async def test_a_report_of_a_node_is_seen_once(state: Store) -> None:
    seen = {"node": "n", "report": "r", "seen_at": NINE}
    with pytest.raises(sa.exc.IntegrityError):
        async with state.write() as connection:
            await connection.execute(sa.insert(seen_reports), [seen, seen | {"node": "m"}, seen])
