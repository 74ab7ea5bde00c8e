"""Which event log an address names."""

from pathlib import Path

from sqlalchemy.engine import make_url

from ..tasks import OnDeath
from .port import EventLog
from .postgres import PostgresLog
from .sqlite import SqliteLog


async def open_log(url: str, on_death: OnDeath) -> EventLog:
    """Open the event log at an SQLAlchemy address, making its tables where there are none.

    Args:
        url: `sqlite+aiosqlite:////path/events.db` or `postgresql+asyncpg://…`, a database with nothing else
            in it.
        on_death: Told when a task of the log ends by a fault of ours.

    Raises:
        ValueError: the address names neither.
        RetryableError: the database is locked, damaged, away or refuses us.
    """
    address = make_url(url)
    kind = address.get_backend_name()
    if kind == "postgresql":
        plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
        return await PostgresLog.open(plain, on_death)
    if kind == "sqlite" and address.database:
        return await SqliteLog.open(Path(address.database))
    raise ValueError(f"database.events is {address!r}, expected an sqlite file or a postgresql address")
