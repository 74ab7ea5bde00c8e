"""Rows of users, sessions and bearer tokens."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from collector.store import schema, users
from collector.store.engine import Store
from collector.store.users import ApiToken, User
from tests.databases import new_state

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
CHEN = User(name="chen", password_argon2="hash", role="duty", person="chen-jie", created_at=NOW)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await new_state(tmp_path)
    yield store
    await store.close()


async def test_an_account_is_found_until_it_is_disabled(store: Store) -> None:
    async with store.read() as connection:
        assert not await users.any_user(connection)
    await store.run(lambda connection: users.add_user(connection, CHEN))
    await store.run(
        lambda connection: users.add_user(connection, replace(CHEN, name="gone", disabled_at=NOW))
    )
    async with store.read() as connection:
        assert await users.any_user(connection)
        assert await users.user(connection, "chen") == CHEN
        assert await users.user(connection, "gone") is None


async def test_a_session_lasts_until_it_expires_or_is_closed(store: Store) -> None:
    await store.run(lambda connection: users.add_user(connection, CHEN))
    await store.run(lambda connection: users.open_session(connection, "s1", "chen", NOW, NOW + HOUR))
    async with store.read() as connection:
        assert await users.session_user(connection, "s1", NOW) == CHEN
        assert await users.session_user(connection, "s1", NOW + HOUR) is None
        assert await users.session_user(connection, "s2", NOW) is None
    await store.run(lambda connection: users.close_session(connection, "s1"))
    async with store.read() as connection:
        assert await users.session_user(connection, "s1", NOW) is None


async def test_expired_sessions_are_forgotten_when_one_is_opened(store: Store) -> None:
    await store.run(lambda connection: users.open_session(connection, "s1", "chen", NOW, NOW + HOUR))
    later = NOW + 2 * HOUR
    await store.run(lambda connection: users.open_session(connection, "s2", "chen", later, later + HOUR))
    async with store.read() as connection:
        left = (await connection.execute(sa.select(schema.sessions.c.secret_sha256))).scalars().all()
    assert left == ["s2"]


async def test_a_bearer_token_has_its_role_until_it_is_taken_back(store: Store) -> None:
    await store.run(lambda connection: users.add_api_token(connection, "t1", "digest", "metrics", NOW))
    async with store.read() as connection:
        assert await users.api_token(connection, "digest") == ApiToken("t1", "metrics")
        assert await users.api_token(connection, "other") is None
    await store.run(
        lambda connection: connection.execute(sa.update(schema.api_tokens).values(revoked_at=NOW))
    )
    async with store.read() as connection:
        assert await users.api_token(connection, "digest") is None
