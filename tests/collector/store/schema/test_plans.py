"""A plan runs once for an incident, and once for what began it without one."""

import pytest
import sqlalchemy as sa

from collector.store.engine import Store
from collector.store.schema import runs
from tests.collector.store.schema.test_columns import NINE

RUN = {"plan": "p", "plan_sha256": "0", "plan_body": {}, "state": "running", "variables": {}}
TIMES = {"started_at": NINE, "progress_at": NINE}


@pytest.mark.parametrize("same", [{"incident": "i"}, {"origin": "warning/1/p"}], ids=["incident", "origin"])
async def test_what_begins_a_run_begins_it_once(state: Store, same: dict[str, str]) -> None:
    row = RUN | TIMES | same
    with pytest.raises(sa.exc.IntegrityError):
        async with state.write() as connection:
            await connection.execute(sa.insert(runs), [row | {"id": "a"}, row | {"id": "b"}])
