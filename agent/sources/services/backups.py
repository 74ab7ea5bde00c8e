"""Whether the backups an operator names are there: young enough, enough copies, one elsewhere, tried out.

    copies    path patterns, one each place; the newest file that matches is that copy
    marker    a file that backup or restore jobs write or touch at their end: its time is when

An agent can see that a file is old, small or missing; that it can be restored only a restore shows, and that
one was made is what `restore_marker` tells.
"""

import glob
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from msgspec import Meta, Struct

from ...bounded import Seconds
from ...budget import Budget
from ..port import moment
from ..rounds.matters import Finding
from ..rounds.patrol import NoNotes, Patrol, Round

CLASS = "SHECONFIG"
_MOST_FILES = 20_000
_Name = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9._-]{0,63}$")]
_Path = Annotated[str, Meta(pattern="^/")]


class Copy(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where one copy lies.

    Fields:
        path: A pattern of its files (`/backup/portal-*.tar.zst`), or a marker that the job touches.
        off_site: Whether it lies elsewhere (a mount of another site, or the marker of the job that sends it).
        min_bytes: What the newest file has at least.
    """

    path: _Path
    off_site: bool = False
    min_bytes: Annotated[int, Meta(ge=0)] = 1


class Backup(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One backup and what is asked of it.

    Fields:
        copies: Where it lies.
        max_age_hours: How old the newest file of a copy may be.
        min_copies: How many copies are in order at least.
        off_site: Whether one in order has to lie off-site.
        restore_marker: The file whose time is that of the last restore test; empty: not asked.
        restore_days: How long ago that may be.
    """

    name: _Name
    copies: tuple[Copy, ...]
    max_age_hours: Annotated[float, Meta(gt=0)] = 26.0
    min_copies: Annotated[int, Meta(ge=1)] = 2
    off_site: bool = True
    restore_marker: str = ""
    restore_days: Annotated[float, Meta(gt=0)] = 180.0


class BackupsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the backups source; without `backups` it does not run."""

    backups: tuple[Backup, ...] = ()
    poll: Seconds = 900.0
    budget: Budget = Budget(stuck_after=120.0)


class Newest(NamedTuple):
    """The newest file of a copy; no time: there is none, or it could not be seen, and `why`."""

    at: datetime | None
    size: int
    why: str


class Backups(Patrol[NoNotes]):
    """The backups source."""

    name = "backups"

    def __init__(self, settings: BackupsSettings | None = None, *, state: Path | None) -> None:
        self._settings = settings or BackupsSettings()
        super().__init__(poll=self._settings.poll, budget=self._settings.budget, state=state)

    def look(self, now: datetime, notes: NoNotes, *, alone: bool) -> Round:  # noqa: ARG002 - no memory
        """Look at every backup."""
        findings = []
        for backup in self._settings.backups:
            faults = list(judge(backup, [newest(copy.path) for copy in backup.copies], now))
            faults += _restore(backup, now)
            if faults:
                findings.append(_finding(backup, faults))
        return Round(findings=tuple(findings))


def newest(pattern: str) -> Newest:
    """Return the newest file of a pattern, looking at a bounded number."""
    latest: Newest | None = None
    why = "no such file"
    for path in islice(glob.iglob(pattern), _MOST_FILES):  # noqa: PTH207 - an absolute pattern
        try:
            status = Path(path).stat()
        except OSError as error:
            why = error.strerror or str(error)
            continue
        at = datetime.fromtimestamp(status.st_mtime, UTC)
        if stat.S_ISREG(status.st_mode) and (latest is None or latest.at is None or at > latest.at):
            latest = Newest(at, status.st_size, "")
    return latest or Newest(None, 0, why)


def judge(backup: Backup, found: list[Newest], now: datetime) -> Iterator[dict[str, Any]]:
    """Yield what is wrong with a backup's copies."""
    good: list[Copy] = []
    for copy, file in zip(backup.copies, found, strict=True):
        if file.at is None:
            yield {"fault": "missing", "path": copy.path, "why": file.why}
        elif now - file.at > timedelta(hours=backup.max_age_hours):
            yield {
                "fault": "too_old",
                "path": copy.path,
                "newest": moment(file.at),
                "allowed": f"{backup.max_age_hours:g} h",
            }
        elif file.size < copy.min_bytes:
            yield {
                "fault": "too_small",
                "path": copy.path,
                "found": file.size,
                "allowed": f"{copy.min_bytes} B",
            }
        else:
            good.append(copy)
    if len(good) < backup.min_copies:
        yield {"fault": "too_few_copies", "found": len(good), "allowed": str(backup.min_copies)}
    if backup.off_site and not any(copy.off_site for copy in good):
        yield {"fault": "no_off_site_copy", "found": 0, "allowed": "1"}


def _restore(backup: Backup, now: datetime) -> Iterator[dict[str, Any]]:
    if not backup.restore_marker:
        return
    marker = newest(backup.restore_marker)
    if marker.at is None:
        yield {"fault": "restore_never_tested", "path": backup.restore_marker, "why": marker.why}
    elif now - marker.at > timedelta(days=backup.restore_days):
        yield {
            "fault": "restore_test_too_old",
            "path": backup.restore_marker,
            "newest": moment(marker.at),
            "allowed": f"{backup.restore_days:g} d",
        }


def _finding(backup: Backup, faults: list[dict[str, Any]]) -> Finding:
    few = any(fault["fault"] == "too_few_copies" and fault["found"] == 0 for fault in faults)
    return Finding(
        key=f"backups:{backup.name}",
        klass=CLASS,
        severity_hint="high" if few else "medium",
        target=backup.name,
        count=len(faults),
        evidence=faults,
    )
