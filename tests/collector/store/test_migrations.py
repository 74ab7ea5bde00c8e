"""The steps from an older database add up to the schema, on both databases."""

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from collector.store.dialects import make_engine
from collector.store.engine import Store
from collector.store.migrations import NEWEST, migrate, settings
from collector.store.schema import metadata


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": False})
    return list(compare_metadata(context, metadata))


async def test_the_steps_add_up_to_the_schema(state: Store) -> None:
    async with state.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_newest_step_is_the_one_that_is_looked_for(sqlite_state: Store) -> None:
    async with sqlite_state.engine.connect() as connection:
        script = await connection.run_sync(lambda plain: ScriptDirectory.from_config(settings(plain)))

    assert script.get_heads() == [NEWEST]


async def test_a_database_of_the_first_release_is_brought_up_to_date(empty_url: str) -> None:
    engine = make_engine(empty_url)
    async with engine.begin() as connection:
        await connection.run_sync(lambda plain: command.upgrade(settings(plain), "0001"))
    async with engine.begin() as connection:
        assert await connection.run_sync(differences) != []
        for _ in range(2):
            await connection.run_sync(migrate)
        assert await connection.run_sync(differences) == []
    await engine.dispose()
