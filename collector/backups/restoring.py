"""Puts a backup in the place of a collector's state: whole, or not at all.

    1  the backup is checked; a collector that runs, or records that are there, are refused
    2  everything is copied beside its place                      killed before 3: the old state, untouched
    3  `restore.unfinished` is written                            killed behind it: no collector starts, and
    4  what was there is set aside, the copies take its place         the same command goes through
    5  PostgreSQL: each database in one transaction
    6  the journal says that it was restored
    7  `restore.unfinished` goes

What was there in files is kept in `before-restore-TIME`; rows of PostgreSQL are let go of. Afterwards agents
go on by themselves: `wire.session` makes them go back to what is held here.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

from msgspec import Struct
from sqlalchemy.engine import make_url

from ..errors import PermanentError
from ..eventlog import copying as log_copying
from ..settings import Settings
from ..store import copying as state_copying
from ..store import journal
from ..store.engine import Store
from ..store.lapsed import Lapsed, lapsed
from . import disk
from .belongings import SET_ASIDE, STAGING, parts_of
from .checking import Checked, check
from .disk import Progress
from .manifest import EVENTS, STATE, Manifest, Piece
from .occupied import LOCK, MARK, Unfinished, exclusively, mark, unfinished, unmark
from .taking import file_of, refuse_inside

_DRAFT = ".restoring"
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_TOLD = 20


class Restored(Struct, frozen=True, kw_only=True):
    """What a restore did, and what a person has to know now.

    Fields:
        set_aside: Where the files are that were there before.
        lapsed: Obligations whose time is over; the duty clock tells of them at the next start.
        settings_differ: Files of the settings that are not what they were when the backup was made.
    """

    manifest: Manifest
    set_aside: list[str]
    lapsed: list[Lapsed]
    settings_differ: list[str]


class _Place(Struct, frozen=True, kw_only=True):
    """A database: its file in the backup, its address, and the copy that waits for its turn."""

    name: str
    url: str
    file: Path | None
    draft: Path


async def restore(
    folder: Path,
    settings: Settings,
    *,
    replace: bool,
    despite_faults: bool,
    now: datetime,
    tell: Progress,
) -> Restored:
    """Restore a backup.

    Args:
        folder: The backup.
        settings: Of the collector that is to have it; where its state folder and databases are.
        replace: What is there may be set aside, on PostgreSQL let go of.
        despite_faults: It is restored though the check found faults; the journal tells of them.
        now: When.
        tell: Told how far it is.

    Raises:
        PermanentError: The text says what is wrong; nothing was changed, or the same command goes through.
        RetryableError: A database is busy or away.
    """
    state = settings.state
    checked = await check(folder, tell)
    if checked.faults and not despite_faults:
        raise PermanentError("\n".join([*checked.faults, f"{folder}: has faults; nothing was restored"]))
    _make_state(state)
    refuse_inside(folder, state)
    try:
        with exclusively(state):
            return await _alone(folder, settings, checked, replace=replace, now=now, tell=tell)
    except OSError as error:
        raise PermanentError(f"{error.filename or state}: {error.strerror}") from error
    except sqlite3.Error as error:
        raise PermanentError(f"{state}: {error}") from error


async def _alone(
    folder: Path, settings: Settings, checked: Checked, *, replace: bool, now: datetime, tell: Progress
) -> Restored:
    state = settings.state
    may = replace or unfinished(state) is not None
    places = [
        _place(STATE, settings.database_url, state),
        _place(EVENTS, settings.events_url, state),
    ]
    allow = await _look(state, places, may=may)
    await _stage(folder, checked.manifest, state, places, tell)
    mark(state, Unfinished(backup=str(folder), begun_at=now))
    aside = _set_aside(state, places, now)
    _put(state, places)
    await _load(places, allow, tell)
    late = await _enter(settings, folder, checked, now)
    shutil.rmtree(state / STAGING)
    unmark(state)
    return Restored(
        manifest=checked.manifest,
        set_aside=aside,
        lapsed=late,
        settings_differ=list(_differing(checked.manifest)),
    )


def _make_state(state: Path) -> None:
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = state.stat().st_uid
    except OSError as error:
        raise PermanentError(
            f"state_dir {state}: {error.strerror}; name a folder this user may write"
        ) from None
    if owner != os.geteuid():
        raise PermanentError(
            f"state_dir {state}: belongs to the user {owner}; restore as that user, who runs the collector"
        )


def _place(name: str, url: str, state: Path) -> _Place:
    file = file_of(url)
    draft = file.with_name(file.name + _DRAFT) if file else state / STAGING / Path(name).name
    return _Place(name=name, url=url, file=file, draft=draft)


async def _look(state: Path, places: list[_Place], *, may: bool) -> Mapping[str, Callable[[bool, int], None]]:
    """Refuse what is in use or filled; return, by place, what judges PostgreSQL once more as it is filled."""
    kept = [entry.name for entry in _movable(state)]
    if kept and not may:
        raise PermanentError(
            f"{state}: found {len(kept)} entries, such as {kept[0]}; --replace sets them aside first"
        )
    allow = {place.name: partial(_allow, _shown(place.url), may=may) for place in places}
    for place in places:
        if place.file is not None:
            _refuse_open(place.file)
            if place.file.exists() and not may:
                raise PermanentError(f"{place.file}: is there already; --replace sets it aside first")
    state_place, events_place = places
    if state_place.file is None:
        await state_copying.look(state_place.url, allow[STATE])
    if events_place.file is None:
        await log_copying.look(events_place.url, allow[EVENTS])
    return allow


def _allow(where: str, filled: bool, connections: int, *, may: bool) -> None:  # noqa: FBT001 - as `Allow` has it
    if connections:
        raise PermanentError(
            f"{where}: found {connections} connections of collectors that run; stop every one of them first"
        )
    if filled and not may:
        raise PermanentError(f"{where}: holds records already; --replace lets go of them")


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


def _refuse_open(path: Path) -> None:
    """Refuse an SQLite file that another process has open, whichever state folder that one has."""
    if not path.exists():
        return
    with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as db:
        try:
            db.execute("PRAGMA locking_mode=EXCLUSIVE")
            db.execute("BEGIN EXCLUSIVE")
            db.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in _BUSY:
                raise PermanentError(f"{path}: another process has it open; stop it first") from None
        except sqlite3.DatabaseError:
            return  # no database any more: a reason to restore


async def _stage(folder: Path, manifest: Manifest, state: Path, places: list[_Place], tell: Progress) -> None:
    """Copy everything beside its place, and hold what was copied against the manifest."""
    shutil.rmtree(state / STAGING, ignore_errors=True)
    drafts = {place.name: place.draft for place in places}
    for draft in drafts.values():
        for part in parts_of([draft]):
            part.unlink(missing_ok=True)
    disk.make_folders(state / STAGING / "state")
    done = 0
    for piece in manifest.files:
        inside = piece.path.startswith("state/")
        if not inside and piece.path not in drafts:
            continue
        target = state / STAGING / piece.path if inside else drafts[piece.path]
        _copy_same(folder / piece.path, target, piece)
        done += piece.size
        tell("copy", done, manifest.size)
    for place in places:
        if place.file is None and place.name == STATE:
            # An older backup: brought to the newest schema first, which alone PostgreSQL is filled by.
            await (await Store.open(state_copying.sqlite_url(place.draft))).close()
    for path in (
        state / STAGING / "state",
        state / STAGING,
        state,
        *(draft.parent for draft in drafts.values()),
    ):
        disk.sync(path)


def _copy_same(source: Path, target: Path, piece: Piece) -> None:
    copied = disk.copy(source, target)
    if (copied.size, copied.sha256) != (piece.size, piece.sha256):
        raise PermanentError(f"{piece.path}: found SHA-256 {copied.sha256}, expected {piece.sha256}")


def _movable(state: Path) -> Iterator[os.DirEntry[str]]:
    """What of a state folder is neither a restore's own nor made anew at each start."""
    own = (LOCK, MARK, STAGING, "ports.json")
    with os.scandir(state) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            if entry.name not in own and not entry.name.startswith(SET_ASIDE) and _DRAFT not in entry.name:
                yield entry


def _set_aside(state: Path, places: list[_Place], now: datetime) -> list[str]:
    """Move what is there out of the way; nothing is deleted."""
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    aside = state / f"{SET_ASIDE}{stamp}"
    number = 1
    while aside.exists():  # a restore that was cut off and begun again within a second
        number += 1
        aside = state / f"{SET_ASIDE}{stamp}-{number}"
    moved = []
    for entry in list(_movable(state)):
        disk.make_folders(aside)
        disk.move(Path(entry.path), aside / entry.name)
        moved = [str(aside)]
    for part in sorted(parts_of([place.file for place in places if place.file])):
        if part.exists():
            elsewhere = part.with_name(f"{part.name}.{aside.name}")
            disk.move(part, elsewhere)
            moved.append(str(elsewhere))
    return moved


def _put(state: Path, places: list[_Place]) -> None:
    staged = state / STAGING / "state"
    for entry in sorted(staged.iterdir()):
        disk.move(entry, state / entry.name)
    for place in places:
        if place.file is not None:
            disk.move(place.draft, place.file)


async def _load(
    places: list[_Place], allow: Mapping[str, Callable[[bool, int], None]], tell: Progress
) -> None:
    state, events = places
    if state.file is None:
        told = partial(tell, "into_state")
        await state_copying.copy_in(state.draft, state.url, allow[STATE], told)
    if events.file is None:
        told = partial(tell, "into_events")
        await log_copying.copy_in(events.draft, events.url, allow[EVENTS], told)


async def _enter(settings: Settings, folder: Path, checked: Checked, now: datetime) -> list[Lapsed]:
    """Write the restore into the journal that was restored; return what fell due since the backup."""
    detail = {
        "made_at": checked.manifest.made_at.isoformat(),
        "backup": str(folder),
        "version": checked.manifest.version,
        "host_user": os.getuid(),
        "faults": checked.faults[:_TOLD],
    }
    entry = journal.Entry(
        actor="system", action="backup.restored", subject=f"unit:{settings.unit}", detail=detail
    )
    store = await Store.open(settings.database_url)
    try:
        async with store.write() as connection:
            await journal.write(connection, entry, now)
        async with store.read() as connection:
            return await lapsed(connection, now)
    finally:
        await store.close()


def _differing(manifest: Manifest) -> Iterator[str]:
    """Files of the settings, at the places they had, that are gone or have another content now."""
    for piece in manifest.files:
        if piece.path.startswith(("settings/", "outside/")):
            try:
                same = disk.sum_of(Path(piece.origin)) == disk.Sum(piece.size, piece.sha256)
            except OSError:
                same = False
            if not same:
                yield piece.origin
