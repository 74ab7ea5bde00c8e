"""The way from an empty or older database to the schema of `store.schema`.

A new step: change the schema, then `python -m alembic`'s `revision --autogenerate` against an old database,
read what it wrote, and move `NEWEST`. `tests/contracts/test_store.py` holds the sum of all steps
against the schema on both databases.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection

from ...errors import PermanentError
from ..dialects import lock_schema

if TYPE_CHECKING:
    from alembic.config import Config


NEWEST = "0018"


def migrate(connection: Connection) -> None:
    """Bring the schema to `NEWEST` inside the connection's transaction; two processes at once are fine.

    Raises:
        PermanentError: A newer version was here, as where of several collectors one was replaced.
    """
    lock_schema(connection)
    found = version_of(connection)
    if found == NEWEST:
        return
    if found is not None and found > NEWEST:
        raise PermanentError(
            f"the database has schema {found}, this version of Fengsui knows {NEWEST}; "
            "start the version that made it, or a newer one"
        )
    from alembic import command  # noqa: PLC0415 - costs 0.2 s and is needed only when there is work

    command.upgrade(settings(connection), "head")


def settings(connection: Connection) -> "Config":
    """Return alembic's settings for the steps in this folder, on an open connection."""
    from alembic.config import Config  # noqa: PLC0415 - see `migrate`

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def version_of(connection: Connection) -> str | None:
    """Return the newest step that a database has seen; None: none at all."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
