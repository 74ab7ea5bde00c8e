import asyncio
import sqlite3
from pathlib import Path

import pytest

from agent.outbox import OutboxError, OutboxFullError
from agent.outbox.worker import Worker


@pytest.fixture
def db(tmp_path: Path) -> sqlite3.Connection:
    made = sqlite3.connect(tmp_path / "db", isolation_level=None, check_same_thread=False)
    made.execute("PRAGMA journal_mode = WAL")
    made.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT)")
    return made


def counted(path: Path) -> int:
    with sqlite3.connect(path) as other:
        number: int = other.execute("SELECT count(*) FROM t").fetchone()[0]
    other.close()
    return number


async def test_what_was_answered_is_committed(db: sqlite3.Connection, tmp_path: Path) -> None:
    worker = Worker(db)

    result = await worker.do(lambda: db.execute("INSERT INTO t VALUES (1, 'a')").rowcount)

    assert result == 1
    assert counted(tmp_path / "db") == 1
    worker.close()


async def test_callers_that_wait_together_share_a_transaction(db: sqlite3.Connection) -> None:
    seen: list[str] = []
    db.set_trace_callback(lambda statement: seen.append(statement.split()[0]))
    worker = Worker(db)

    await asyncio.gather(
        *(worker.do(lambda n=n: db.execute("INSERT INTO t VALUES (?, '')", [n])) for n in range(200))
    )

    assert seen.count("INSERT") == 200
    assert seen.count("COMMIT") < 100
    worker.close()


async def test_one_that_fails_spoils_nothing_for_the_others(db: sqlite3.Connection, tmp_path: Path) -> None:
    worker = Worker(db)

    def fails() -> None:
        db.execute("INSERT INTO t VALUES (1000, '')")
        raise ValueError("no")

    results = await asyncio.gather(
        *(worker.do(lambda n=n: db.execute("INSERT INTO t VALUES (?, '')", [n])) for n in range(20)),
        worker.do(fails),
        return_exceptions=True,
    )

    assert isinstance(results[-1], ValueError)
    assert counted(tmp_path / "db") == 20
    worker.close()


async def test_a_full_disk_is_an_error_to_try_again_after_and_leaves_nothing_half_done(
    db: sqlite3.Connection, tmp_path: Path
) -> None:
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages}")
    worker = Worker(db)

    with pytest.raises(OutboxFullError, match="full"):
        await worker.do(lambda: db.execute("INSERT INTO t VALUES (1, ?)", ["x" * 100_000]))
    assert counted(tmp_path / "db") == 0

    db.execute("PRAGMA max_page_count = 100000")
    await worker.do(lambda: db.execute("INSERT INTO t VALUES (1, ?)", ["x" * 100_000]))
    assert counted(tmp_path / "db") == 1
    worker.close()


async def test_an_error_that_no_later_try_can_mend_says_so(db: sqlite3.Connection) -> None:
    worker = Worker(db)

    with pytest.raises(OutboxError, match="no such table"):
        await worker.do(lambda: db.execute("SELECT * FROM missing"))

    worker.close()


async def test_a_caller_that_stopped_waiting_does_not_stop_the_work(
    db: sqlite3.Connection, tmp_path: Path
) -> None:
    worker = Worker(db)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await worker.do(lambda: db.execute("INSERT INTO t VALUES (1, '')"))

    await worker.do(lambda: db.execute("INSERT INTO t VALUES (2, '')"))

    assert counted(tmp_path / "db") == 2
    worker.close()


def test_the_end_of_a_loop_does_not_end_the_thread(db: sqlite3.Connection, tmp_path: Path) -> None:
    worker = Worker(db)

    async def leave() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await worker.do(lambda: db.execute("INSERT INTO t VALUES (1, '')"))

    asyncio.run(leave())
    asyncio.run(worker.do(lambda: db.execute("INSERT INTO t VALUES (2, '')")))

    worker.close()
    assert counted(tmp_path / "db") == 2
