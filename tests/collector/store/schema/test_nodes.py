"""Who may come in: a secret opens one door."""

import pytest
import sqlalchemy as sa

from collector.store.engine import Store
from collector.store.schema import api_tokens, enrolment_tokens
from tests.collector.store.schema.test_columns import NINE


@pytest.mark.parametrize("table", [api_tokens, enrolment_tokens], ids=lambda table: table.name)
async def test_a_secret_is_that_of_one_token(state: Store, table: sa.Table) -> None:
    token = {"secret_sha256": "00", "unit": "u", "kind": "agent", "role": "viewer", "created_at": NINE}
    token |= {"expires_at": NINE, "uses_left": 1}
    row = {name: value for name, value in token.items() if name in table.c}
    with pytest.raises(sa.exc.IntegrityError):
        async with state.write() as connection:
            await connection.execute(sa.insert(table), [row | {"id": "a"}, row | {"id": "b"}])
