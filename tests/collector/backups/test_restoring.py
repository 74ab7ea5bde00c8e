"""A backup goes back whole, into either database, and is refused where it would hurt."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from collector.backups import Restored, in_use, restore
from collector.backups.occupied import MARK
from collector.duty.clock import DutyClock
from collector.errors import PermanentError
from collector.eventlog.opening import open_log
from collector.store import journal
from collector.store.engine import Store
from collector.store.lapsed import lapsed
from tests.collector.backups.yard import NINE, REPORTS, Yard, died, quiet, tree
from tests.conftest import Office
from wire.session import Held, Slice, Take

LATER = NINE + timedelta(days=2)


async def restored(yard: Yard, backup: Path, *, replace: bool = False, faults: bool = False) -> Restored:
    return await restore(backup, yard.settings, replace=replace, despite_faults=faults, now=LATER, tell=quiet)


async def test_what_was_there_is_set_aside_and_the_backup_takes_its_place(
    any_yard: Yard, tmp_path: Path
) -> None:
    await any_yard.backed_up(tmp_path / "backup")
    keys = tree(any_yard.state)["ca.key"]
    await any_yard.say("after.backup")
    (any_yard.state / "ca.key").write_text("lost")

    with pytest.raises(PermanentError, match="--replace"):
        await restored(any_yard, tmp_path / "backup")
    done = await restored(any_yard, tmp_path / "backup", replace=True)

    told = await any_yard.actions()
    assert "after.backup" not in told
    assert told.count("backup.restored") == 1
    assert tree(any_yard.state)["ca.key"] == keys
    assert not (any_yard.state / MARK).exists()
    assert (Path(done.set_aside[0]) / "ca.key").read_text() == "lost"
    assert [entry.obligation for entry in done.lapsed], "clocks that fell due in between are told"
    assert done.settings_differ == []


@pytest.mark.parametrize("target", ["sqlite", "postgres"])
async def test_a_backup_of_either_database_goes_into_either(
    any_yard: Yard, tmp_path: Path, target: str, new_postgres: Callable[[], str]
) -> None:
    await any_yard.backed_up(tmp_path / "backup")
    urls = (new_postgres(), new_postgres()) if target == "postgres" else ("", "")
    other = Yard(tmp_path / "other", *urls)
    other.write_settings()

    await restored(other, tmp_path / "backup")

    log = await open_log(other.settings.events_url, died)
    held = await log.held("node-1", "e")
    entries = await log.read(0, 100, 1_000_000)
    batch = Slice(REPORTS, f"r{REPORTS}", (REPORTS + 1,), ("new",))
    answer = await log.append("node-1", "e", batch, b"{}", LATER)
    last = (await log.extent()).last
    await log.close()
    assert held == Held(REPORTS, f"r{REPORTS}")
    assert [(one.position, one.stored) for one in entries] == [
        (n, bytes([n]) * 99) for n in range(1, REPORTS + 1)
    ]
    assert isinstance(answer, Take)
    assert last == REPORTS + 1, "positions go on behind those that were restored"
    await other.say("goes.on")  # numbers that the database gives out go on too
    assert (await other.actions()).count("incident.opened") == 1


async def test_a_collector_that_runs_is_not_touched(any_yard: Yard, tmp_path: Path) -> None:
    await any_yard.backed_up(tmp_path / "backup")
    with in_use(any_yard.state), pytest.raises(PermanentError, match="a collector runs here"):
        await restored(any_yard, tmp_path / "backup", replace=True)

    store = await Store.open(any_yard.settings.database_url)
    async with store.read():
        with pytest.raises(PermanentError, match="stop"):  # of another state folder
            await restored(any_yard, tmp_path / "backup", replace=True)
    await store.close()
    assert not (any_yard.state / MARK).exists()
    await restored(any_yard, tmp_path / "backup", replace=True)


async def test_a_damaged_backup_changes_nothing_and_can_be_forced(yard: Yard, tmp_path: Path) -> None:
    await yard.say("a.b")
    with closing(sqlite3.connect(yard.state / "state.db")) as db, db:
        db.execute("UPDATE journal SET action = 'forged' WHERE action = 'a.b'")
    await yard.backed_up(tmp_path / "backup")  # its only one, of a journal that was forged before
    before = tree(yard.state)

    with pytest.raises(PermanentError, match=r"(?s)journal: chain .* nothing was restored"):
        await restored(yard, tmp_path / "backup", replace=True)
    assert tree(yard.state) == before

    await restored(yard, tmp_path / "backup", replace=True, faults=True)
    assert "backup.restored" in await yard.actions()


async def test_a_restore_that_was_cut_off_lets_no_collector_start_and_goes_through_when_repeated(
    yard: Yard, tmp_path: Path
) -> None:
    await yard.backed_up(tmp_path / "backup")
    await yard.say("after.backup")

    def gone(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("collector.backups.restoring._put", gone)
        with pytest.raises(KeyboardInterrupt):
            await restored(yard, tmp_path / "backup", replace=True)
    with pytest.raises(PermanentError, match="begun and not finished; run it again"), in_use(yard.state):
        pass

    await restored(yard, tmp_path / "backup")
    with in_use(yard.state):
        assert "after.backup" not in await yard.actions()


async def test_logs_of_the_old_database_are_not_left_beside_the_new_one(yard: Yard, tmp_path: Path) -> None:
    """SQLite would read a WAL that lies beside it as its own."""
    await yard.backed_up(tmp_path / "backup")
    for part in ("-wal", "-shm"):
        (yard.state / f"state.db{part}").write_bytes(b"of the old one")
    await restored(yard, tmp_path / "backup", replace=True)

    assert "incident.opened" in await yard.actions()


async def test_a_database_outside_the_state_folder_goes_back_to_its_place(tmp_path: Path, yard: Yard) -> None:
    await yard.backed_up(tmp_path / "backup")
    other = Yard(
        tmp_path / "other", f"sqlite:///{tmp_path}/disk/state.db", f"sqlite:///{tmp_path}/disk/log.db"
    )
    other.write_settings()
    (tmp_path / "disk").mkdir()

    await restored(other, tmp_path / "backup")
    await other.say("x.y")
    done = await restored(other, tmp_path / "backup", replace=True)

    assert "x.y" not in await other.actions()
    assert sorted(Path(path).parent.name for path in done.set_aside) == ["disk", "disk", "var"]


async def test_settings_that_have_changed_since_are_told(yard: Yard, tmp_path: Path) -> None:
    await yard.backed_up(tmp_path / "backup")
    shutil.rmtree(yard.state)
    (yard.file.parent / "registry.yaml").write_text("# another\n")
    (yard.file.parent / "plans" / "own.yaml").unlink()

    done = await restored(yard, tmp_path / "backup")

    assert [Path(path).name for path in done.settings_differ] == ["own.yaml", "registry.yaml"]
    assert done.set_aside == []


async def test_what_fell_due_in_between_is_told_at_the_next_start(
    yard: Yard, tmp_path: Path, office: Office
) -> None:
    """The duty clock's catch-up knows from the restored mark since when nobody watched."""
    await yard.backed_up(tmp_path / "backup")
    shutil.rmtree(yard.state)
    done = await restored(yard, tmp_path / "backup")

    store = await Store.open(yard.settings.database_url)
    await DutyClock(store, office.casework, wall=lambda: LATER, steady=lambda: 0.0).tick()
    async with store.read() as connection:
        still = await lapsed(connection, LATER)
        told = {row.incident async for row in journal.read_chains(connection) if row.action == "clock.fired"}
        (notices,) = (await connection.execute(sa.text("SELECT count(*) FROM notices"))).one()
    await store.close()

    assert {one.incident for one in done.lapsed} == told
    assert still == [], "each of them is overdue now"
    assert notices > 0
