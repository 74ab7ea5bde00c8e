"""State databases of the newest schema at the price of a copy: the way there is gone once a process.

That the way leads there, from nothing and from the first release, is shown where databases begin empty:
`tests/collector/store/test_migrations.py` and `tests/contracts/test_store.py`.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from collector.store.copying import sqlite_url
from collector.store.engine import Store


def lay_state(file: Path) -> str:
    """Make a state database in which nothing stands yet, and return its address."""
    file.write_bytes(_newest())
    return sqlite_url(file)


async def new_state(folder: Path) -> Store:
    """Open the state database of a new state folder."""
    return await Store.open(lay_state(folder / "state.db"))


def migrate(url: str) -> None:
    """Bring an empty database to the newest schema; blocks, also where an event loop runs."""

    async def work() -> None:
        await (await Store.open(url)).close()

    with ThreadPoolExecutor(1) as aside:
        aside.submit(asyncio.run, work()).result()


@cache
def _newest() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "state.db"
        migrate(sqlite_url(file))
        return file.read_bytes()
