"""Every token is listed with whether it still lets anybody in, and is taken back once."""

from datetime import UTC, datetime, timedelta

import pytest

from collector.store.engine import Store
from collector.store.nodes import TokenRow, add_token
from collector.store.tokens import Token, all_tokens, revoke_token
from collector.store.users import add_api_token, api_token

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
async def both(state: Store) -> Store:
    row = TokenRow(
        id="e",
        secret_sha256="00",
        unit="county",
        kind="agent",
        created_at=NINE,
        expires_at=NINE + HOUR,
        uses_left=3,
    )
    async with state.write() as connection:
        await add_token(connection, row)
        await add_api_token(connection, "a", "11", "viewer", NINE + HOUR / 2)
    return state


async def listed(store: Store) -> list[Token]:
    async with store.read() as connection:
        return await all_tokens(connection)


async def test_both_kinds_are_listed_oldest_first_without_their_secret(both: Store) -> None:
    first, second = await listed(both)

    assert (first.purpose, first.unit, first.kind, first.uses_left) == ("enrolment", "county", "agent", 3)
    assert (second.purpose, second.role) == ("api", "viewer")
    assert "secret" not in " ".join(Token.__struct_fields__)
    assert [token.state(NINE) for token in (first, second)] == ["usable", "usable"]
    assert [token.state(NINE + HOUR) for token in (first, second)] == ["expired", "usable"]


@pytest.mark.parametrize(("token", "ends"), [("e", "spent"), ("a", "revoked")])
async def test_one_that_was_taken_back_is_so_once(both: Store, token: str, ends: str) -> None:
    async with both.write() as connection:
        assert await revoke_token(connection, token, NINE + HOUR)
        assert not await revoke_token(connection, token, NINE + HOUR)
        assert not await revoke_token(connection, "another", NINE + HOUR)
        bearer = await api_token(connection, "11")

    assert {one.id: one.state(NINE) for one in await listed(both)}[token] == ends
    assert (bearer is None) == (token == "a")
