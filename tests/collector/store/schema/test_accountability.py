"""A number of a chain is given once: no entry has a double."""

import pytest
import sqlalchemy as sa

from collector.store.engine import Store
from collector.store.schema import journal
from tests.collector.store.schema.test_columns import NINE


async def test_a_number_of_a_chain_stands_once(state: Store) -> None:
    row = dict.fromkeys(journal.c.keys(), "") | {"chain": "c", "n": 1, "detail": {}, "at": NINE}
    with pytest.raises(sa.exc.IntegrityError):
        async with state.write() as connection:
            await connection.execute(sa.insert(journal), [row | {"id": 1}, row | {"id": 2}])
