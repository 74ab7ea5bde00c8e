import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.sources.rounds.matters import Finding
from agent.sources.rounds.patrol import NoNotes
from agent.sources.services.backups import Backup, Backups, BackupsSettings, Copy, newest

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


def write(path: Path, *, hours_ago: float, size: int = 5000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    at = (NOON - timedelta(hours=hours_ago)).timestamp()
    os.utime(path, (at, at))


@pytest.fixture
def backup(tmp_path: Path) -> Backup:
    """A nightly backup in two places, the second elsewhere, with a restore test last month: in order."""
    write(tmp_path / "local/portal-0301.tar", hours_ago=30)
    write(tmp_path / "local/portal-0302.tar", hours_ago=6)
    write(tmp_path / "remote/portal.sent", hours_ago=5, size=10)
    write(tmp_path / "restore-tested", hours_ago=24 * 30, size=0)
    return Backup(
        name="portal",
        copies=(
            Copy(path=f"{tmp_path}/local/portal-*.tar", min_bytes=1000),
            Copy(path=f"{tmp_path}/remote/portal.sent", off_site=True),
        ),
        restore_marker=f"{tmp_path}/restore-tested",
    )


def judged(backup: Backup) -> list[Finding]:
    source = Backups(BackupsSettings(backups=(backup,)), state=None)
    return list(source.look(NOON, NoNotes(), alone=True).findings)


def faults(backup: Backup) -> list[Any]:
    return [item["fault"] for finding in judged(backup) for item in finding.evidence]


def test_a_backup_in_order_is_no_matter(backup: Backup) -> None:
    assert judged(backup) == []


def test_a_backup_that_did_not_run_is_too_old(tmp_path: Path, backup: Backup) -> None:
    (tmp_path / "local/portal-0302.tar").unlink()
    (finding,) = judged(backup)

    assert finding.klass == "SHECONFIG"
    assert finding.key == "backups:portal"
    assert finding.severity_hint == "medium"
    assert finding.evidence[0] == {
        "fault": "too_old",
        "path": f"{tmp_path}/local/portal-*.tar",
        "newest": "2026-02-28T22:00:00Z",
        "allowed": "26 h",
    }


def test_a_copy_that_is_missing_or_all_but_empty_does_not_count(tmp_path: Path, backup: Backup) -> None:
    write(tmp_path / "local/portal-0302.tar", hours_ago=6, size=20)
    assert faults(backup) == ["too_small", "too_few_copies"]
    (tmp_path / "remote/portal.sent").unlink()

    assert faults(backup) == ["too_small", "missing", "too_few_copies", "no_off_site_copy"]
    assert judged(backup)[0].severity_hint == "high"


def test_a_restore_that_was_never_tried_or_long_ago_is_told(tmp_path: Path, backup: Backup) -> None:
    write(tmp_path / "restore-tested", hours_ago=24 * 200)
    assert faults(backup) == ["restore_test_too_old"]
    (tmp_path / "restore-tested").unlink()

    assert faults(backup) == ["restore_never_tested"]


def test_links_in_a_circle_and_odd_names_are_looked_at_without_harm(tmp_path: Path) -> None:
    (tmp_path / "loop.tar").symlink_to(tmp_path / "loop.tar")
    (tmp_path / "folder.tar").mkdir()
    assert newest(f"{tmp_path}/*.tar").at is None
    write(tmp_path / "a\nb.tar", hours_ago=1)
    os.rename(tmp_path / "a\nb.tar", os.fsencode(tmp_path) + b"/\xff\xfe.tar")  # noqa: PTH104 - bytes

    assert newest(f"{tmp_path}/*.tar").at == NOON - timedelta(hours=1)
