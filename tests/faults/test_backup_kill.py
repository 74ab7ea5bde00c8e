"""`kill -9` at every step of a backup and of a restore: the old state, or one that no collector starts on."""

import asyncio
import shutil
from pathlib import Path

import pytest

from collector.backups import check, in_use, restore
from collector.backups.belongings import SET_ASIDE, STAGING
from collector.backups.manifest import read_manifest
from collector.backups.occupied import unfinished
from collector.errors import PermanentError
from tests.collector.backups.conftest import any_yard, new_postgres, yard
from tests.collector.backups.yard import NINE, Yard, quiet, tree
from tests.faults.cutting import CHANGES, DISK, cut

__all__ = ["any_yard", "new_postgres", "yard"]


def restored(yard: Yard, backup: Path, *, replace: bool) -> None:
    asyncio.run(restore(backup, yard.settings, replace=replace, despite_faults=False, now=NINE, tell=quiet))


def own(state: Path) -> dict[str, bytes]:
    """What a collector would find in its folder; what a restore keeps beside it is not looked at."""
    apart = (SET_ASIDE, STAGING, "in-use", "ports.json", "restore.unfinished.new")
    return {
        name: content
        for name, content in tree(state).items()
        if not name.startswith(apart) and ".restoring" not in name
    }


@pytest.mark.slow
def test_a_backup_cut_at_any_step_is_no_backup_and_the_next_try_is_whole(yard: Yard, tmp_path: Path) -> None:
    before = own(yard.state)
    n = 1
    while cut(n, lambda: asyncio.run(yard.backed_up(tmp_path / str(n))), DISK):  # noqa: B023 - runs at once
        backup = tmp_path / str(n)
        if not (backup / "manifest.json").exists() or (backup / "unfinished").exists():
            with pytest.raises(PermanentError):
                read_manifest(backup)
            asyncio.run(yard.backed_up(backup))
        assert asyncio.run(check(backup, quiet)).faults == []
        n += 1

    assert n > 20, "there were steps to be cut at"
    assert own(yard.state) == before


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_restore_cut_at_any_step_leaves_the_old_state_or_lets_no_collector_start(
    any_yard: Yard, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    asyncio.run(any_yard.backed_up(backup))
    asyncio.run(any_yard.say("after.backup"))
    old, kept = own(any_yard.state), tmp_path / "kept"
    shutil.copytree(any_yard.state, kept)
    outcomes: list[str] = []
    n = 1
    while cut(n, lambda: restored(any_yard, backup, replace=True), CHANGES):
        outcomes.append(outcome(any_yard, old))
        if outcomes[-1] == "unfinished":
            restored(any_yard, backup, replace=False)  # by the mark: the first run was allowed to
            assert "after.backup" not in asyncio.run(any_yard.actions())
        if not any_yard.url:
            shutil.rmtree(any_yard.state)
            shutil.copytree(kept, any_yard.state)
        n += 3 if any_yard.url else 1  # what is cut is the same; a database takes its time
    asyncio.run(any_yard.say("and.on"))

    assert {"old", "unfinished"} <= set(outcomes) <= {"old", "unfinished", "new"}
    assert outcomes == sorted(outcomes, key=["old", "unfinished", "new"].index) or any_yard.url
    assert outcomes.count("unfinished") >= 4


def outcome(yard: Yard, old: dict[str, bytes]) -> str:
    """What whoever comes next finds."""
    if unfinished(yard.state) is not None:
        with pytest.raises(PermanentError, match="not finished"), in_use(yard.state):
            pass
        return "unfinished"
    with in_use(yard.state):
        return "old" if yard.url or own(yard.state) == old else "new"


def test_the_cutter_itself_cuts_and_tells(tmp_path: Path) -> None:
    """Else every test with it would pass by never killing anything."""

    def work() -> None:
        for name in "abc":
            (tmp_path / name).write_text("")
            (tmp_path / name).rename(tmp_path / name.upper())

    assert cut(2, work, CHANGES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["A", "b"]
    assert not cut(4, work, CHANGES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["A", "B", "C"]
