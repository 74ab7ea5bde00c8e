"""What cannot be done at this hour is told and tried at the next; no flow ends by it."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.app import upkeep
from collector.app.upkeep import Membership, Retention
from collector.errors import RetryableError
from collector.eventlog.sqlite import SqliteLog
from collector.store.cursors import PIPELINE, move_cursor
from collector.store.engine import Store
from wire.session import Slice

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


async def until_told(work: Coroutine[Any, Any, None], told: asyncio.Event) -> bool:
    """Let it work until it has told; whether it is at it still."""
    task = asyncio.get_running_loop().create_task(work)
    async with asyncio.timeout(10):
        await told.wait()
    still = not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return still


async def test_what_was_read_and_is_old_goes_and_the_rest_stays(sqlite_state: Store, tmp_path: Path) -> None:
    log = await SqliteLog.open(tmp_path / "events.db")
    for n in range(1, 5):
        await log.append("n", "e", Slice(n - 1, f"r{n - 1}" * (n > 1), (n,), (f"r{n}",)), b"{}", NINE)
    async with sqlite_state.write() as connection:
        await move_cursor(connection, PIPELINE, 0, 2)
    life = timedelta(days=190)

    await Retention(sqlite_state, log, lambda: life, lambda: NINE + life, lambda _: None)._drop_old()
    assert (await log.extent()).first == 1
    await Retention(sqlite_state, log, lambda: life, lambda: NINE + life * 1.1, lambda _: None)._drop_old()
    assert (await log.extent()).first == 3
    await log.close()


async def test_a_log_that_cannot_be_trimmed_now_ends_no_flow(sqlite_state: Store, tmp_path: Path) -> None:
    """A closed log answers as a busy or full one does: with an error that says the same may work later."""
    log = await SqliteLog.open(tmp_path / "events.db")
    await log.close()
    said: list[str] = []
    told = asyncio.Event()
    retention = Retention(
        sqlite_state, log, lambda: timedelta(1), lambda: NINE, lambda text: (said.append(text), told.set())[0]
    )

    assert await until_told(retention.run(), told)
    assert said[0].startswith("old batches are kept for now: ")


async def test_a_certificate_that_cannot_be_renewed_now_ends_no_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> bool:
        raise RetryableError("nobody answers")

    monkeypatch.setattr(upkeep, "renew", away)
    said: list[str] = []
    told = asyncio.Event()

    async def renewed() -> None:
        raise AssertionError("nothing was renewed")

    member = Membership(
        lambda: tmp_path, renewed, lambda: NINE, lambda text: (said.append(text), told.set())[0]
    )
    assert await until_told(member.run(), told)
    assert said == ["the certificate for the collector above is not renewed yet: nobody answers"]


async def test_lines_with_the_old_certificate_are_let_go_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def granted(*_: object, **__: object) -> bool:
        return True

    monkeypatch.setattr(upkeep, "renew", granted)
    told = asyncio.Event()

    async def renewed() -> None:
        told.set()

    assert await until_told(Membership(lambda: tmp_path, renewed, lambda: NINE, print).run(), told)


async def test_what_is_wanted_is_renewed_at_once_and_again_where_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    answers = iter([False, RetryableError("nobody answers"), True])

    async def answer(*_: object, wanted: bool) -> bool:
        asked.append(wanted)
        given = next(answers)
        if isinstance(given, RetryableError):
            raise given
        if not given:
            member.want()  # as a heartbeat does
        return given

    monkeypatch.setattr(upkeep, "renew", answer)
    told = asyncio.Event()

    async def renewed() -> None:
        told.set()

    member = Membership(lambda: tmp_path, renewed, lambda: NINE, lambda _: member.want())
    assert await until_told(member.run(), told)
    assert asked == [False, True, True]
