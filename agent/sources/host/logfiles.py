"""Logs that were cleared: files cut, rewritten or replaced, and a journal that was thrown away.

    logrotate, rename      the file that was read is a neighbour now (auth.log.1)      no matter
    logrotate, copy        it is shorter, and a neighbour came that is as long         no matter
    > auth.log             shorter, and no neighbour                                   told
    sed -i, rm             another file or none, and no neighbour                      told
    a cleaner of wtmp      as long, and its first bytes are others                     told
    journalctl --vacuum    half of what was archived, or more, is gone at once         told
    rm system.journal      what is written to is gone, and not among the archived      told

journald itself lets go of its oldest file when it comes to its limit, one at a time, and never of what it
writes to; an intruder takes all. `--rotate` makes an archived file of what was written to (another
name, the same id), and `--vacuum` with it takes that one, too.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct

from ...bounded import Seconds
from ...budget import Budget
from ...keeping import open_regular
from ..port import moment
from ..rounds.matters import Finding
from ..rounds.patrol import Patrol, Round

CLASS = "ROPDENY"
_HEAD = 1024
_SIBLINGS = 100
_MAX_JOURNALS = 5000
_KEEP_SECONDS = 300.0
FILES = (
    "/var/log/auth.log",
    "/var/log/secure",
    "/var/log/syslog",
    "/var/log/messages",
    "/var/log/wtmp",
    "/var/log/btmp",
    "/var/log/lastlog",
    "/var/log/audit/audit.log",
)
_SLOTS = frozenset({"lastlog", "faillog", "tallylog"})


class LogsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the logs source.

    Fields:
        files: The logs that may only grow.
        journals: The folders of journald.
    """

    enabled: bool = True
    files: tuple[str, ...] = FILES
    journals: tuple[str, ...] = ("/var/log/journal",)
    poll: Seconds = 20.0
    budget: Budget = Budget()


class Seen(Struct, frozen=True):
    """A log as it was seen: when, its inode, its length and its first bytes."""

    at: float
    inode: int
    size: int
    head_size: int
    head: str


class Logs(Struct, frozen=True):
    """What was seen of every log; of the journal the archived files and their sizes.

    `active`: the files of the journal that are written to, with identity and size.
    """

    files: dict[str, Seen] = {}
    archived: dict[str, dict[str, int]] = {}
    active: dict[str, dict[str, tuple[str, int]]] = {}


class LogFiles(Patrol[Logs]):
    """The logs source."""

    name = "logs"
    notes_kind = Logs

    def __init__(
        self, settings: LogsSettings | None = None, *, state: Path | None, root: Path = Path("/")
    ) -> None:
        self._settings = settings or LogsSettings()
        self._root = root
        self._kept: tuple[float, dict[str, int]] = (0.0, {})
        super().__init__(poll=self._settings.poll, budget=self._settings.budget, state=state)

    def look(self, now: datetime, notes: Logs, *, alone: bool) -> Round:  # noqa: ARG002 - one look is as good
        """Compare every log with what was seen of it."""
        files: dict[str, Seen] = {}
        findings: list[Finding] = []
        unreadable: list[tuple[str, str]] = []
        for name in self._settings.files:
            before = notes.files.get(name)
            try:
                seen = see(self._place(name), now.timestamp())
                why = cleared(self._place(name), before, seen) if before else ""
            except OSError as error:
                unreadable.append((name, error.strerror or str(error)))
                seen, why = before, ""
            if seen:
                files[name] = seen
            if why:
                findings.append(_finding(name, why, before, seen, now))
        archived: dict[str, dict[str, int]] = {}
        active: dict[str, dict[str, tuple[str, int]]] = {}
        for name in self._settings.journals:
            folder = self._place(name)
            archived[name], active[name] = _journal(folder)
            gone = vacuumed(notes.archived.get(name, {}), archived[name])
            gone |= _thrown_away(folder, notes.active.get(name, {}), active[name])
            if gone:
                findings.append(_vacuum(name, gone, now))
        return Round(
            findings=tuple(findings),
            unreadable=tuple(unreadable),
            notes=Logs(files, archived, active),
            keep=self._is_time({name: seen.inode for name, seen in files.items()}, now.timestamp()),
        )

    def _is_time(self, inodes: dict[str, int], at: float) -> bool:
        """Say whether to write it down: logs grow at every look, and a start may miss some growth."""
        kept_at, kept = self._kept
        if kept == inodes and 0 <= at - kept_at < _KEEP_SECONDS:
            return False
        self._kept = (at, inodes)
        return True

    def _place(self, name: str) -> Path:
        return self._root / name.lstrip("/")


def see(path: Path, at: float) -> Seen | None:
    """Return a log as it is, None where there is none.

    Raises:
        OSError: it may not be read.
    """
    try:
        status = path.stat()
        if stat.S_ISFIFO(status.st_mode) or stat.S_ISCHR(status.st_mode):
            # `mkfifo`, or a link to /dev/null: nothing is kept there any more.
            return Seen(at, status.st_ino, 0, 0, "")
        with open_regular(path) as file:
            status = os.fstat(file.fileno())
            # A place for each user, written over at every login: it may only not become shorter.
            head = b"" if path.name in _SLOTS else file.read(min(_HEAD, status.st_size))
    except FileNotFoundError:
        return None
    return Seen(at, status.st_ino, status.st_size, len(head), hashlib.sha256(head).hexdigest())


def cleared(path: Path, before: Seen, seen: Seen | None) -> str:
    """Return how a log was cleared since it was seen, empty where it was not."""
    if seen and seen.inode == before.inode:
        if seen.size < before.size:
            return "" if _was_rotated(path, before) else "cut"
        if before.head_size and _head(path, before.head_size) != before.head:
            return "" if _was_rotated(path, before) else "rewritten"
        return ""
    if before.size == 0 or _was_rotated(path, before):
        return ""
    return "replaced" if seen else "removed"


def _head(path: Path, size: int) -> str:
    with open_regular(path) as file:
        return hashlib.sha256(file.read(size)).hexdigest()


def _was_rotated(path: Path, before: Seen) -> bool:
    """Say whether what was seen lives on beside the log: as the same file, as its copy, or compressed."""
    for sibling in _siblings(path):
        try:
            status = sibling.stat()
            if status.st_ino == before.inode:
                return True
            if sibling.suffix in {".gz", ".xz", ".bz2", ".zst"}:
                if status.st_ctime >= before.at - 1:  # its mtime is that of what was compressed
                    return True
            elif status.st_size >= before.size and _head(sibling, before.head_size) == before.head:
                return True
        except OSError:
            continue
    return False


def _siblings(path: Path) -> list[Path]:
    """Return what may be a rotated log: beside it, or in a folder beside it (logrotate's `olddir`)."""
    name = f"{path.name}[.-]*"
    return [*sorted(path.parent.glob(name)), *sorted(path.parent.glob(f"*/{name}"))][:_SIBLINGS]


def _journal(folder: Path) -> tuple[dict[str, int], dict[str, tuple[str, int]]]:
    """Return a journal's archived files with their sizes, and those written to with identity and size."""
    archived: dict[str, int] = {}
    active: dict[str, tuple[str, int]] = {}
    for path in islice(folder.glob("*/*.journal"), _MAX_JOURNALS):
        name = f"{path.parent.name}/{path.name}"
        with suppress(OSError):
            if "@" in path.name:
                archived[name] = path.stat().st_size
            else:
                active[name] = (_identity(path), path.stat().st_size)
    return archived, active


def _identity(path: Path) -> str:
    """Return by what a file of the journal is known under any name: the id in its header.

    Raises:
        OSError: it can't be read.
    """
    with open_regular(path) as file:
        head = file.read(40)
        return head[24:].hex() if head.startswith(b"LPKSHHRH") else str(os.fstat(file.fileno()).st_ino)


def _thrown_away(
    folder: Path, before: Mapping[str, tuple[str, int]], active: Mapping[str, tuple[str, int]]
) -> dict[str, int]:
    """Return what was written to and is there under no name: its size by the name it had."""
    there = {identity for identity, _ in active.values()}
    missing = {name: one for name, one in before.items() if one[0] not in there}
    if missing:
        for path in islice(folder.glob("*/*@*.journal*"), _MAX_JOURNALS):
            with suppress(OSError):
                there.add(_identity(path))
    return {name: size for name, (identity, size) in missing.items() if identity not in there}


def vacuumed(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """Return the archived files that are gone, where they are so many that journald did not do it itself.

    >>> archive = {f"m/system@{n}.journal": 8_000_000 for n in range(6)}
    >>> vacuumed(archive, {name: archive[name] for name in list(archive)[1:]})
    {}
    >>> len(vacuumed(archive, {}))
    6
    """
    gone = {name: size for name, size in before.items() if name not in after}
    if len(gone) < 2 or 2 * sum(gone.values()) < sum(before.values()):
        return {}
    return gone


def _finding(name: str, why: str, before: Seen | None, seen: Seen | None, now: datetime) -> Finding:
    return Finding(
        key=f"logs:{name}",
        klass=CLASS,
        severity_hint="high",
        target=name,
        passing=True,
        evidence=[_item(name, why, before.size if before else 0, seen.size if seen else 0, now)],
    )


def _vacuum(name: str, gone: dict[str, int], now: datetime) -> Finding:
    return Finding(
        key=f"logs:{name}",
        klass=CLASS,
        severity_hint="high",
        target=name,
        passing=True,
        count=len(gone),
        evidence=[_item(f"{name}/{file}", "removed", size, 0, now) for file, size in sorted(gone.items())],
    )


def _item(path: str, change: str, old: int, new: int, now: datetime) -> dict[str, Any]:
    return {"at": moment(now), "path": path[:1000], "change": change, "old": old, "new": new}
