"""Takes a backup of a collector that may be running.

1  `unfinished` is written: whatever happens now, the folder is no backup
2  the state folder's files; with them the newest checkpoint, which a later copy of the journal holds
3  the state database, as it stands at one moment
4  the event log, as it stands at a later one: the state's cursor is never ahead of it
5  the settings
6  the manifest, and `unfinished` goes
"""

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from sqlalchemy.engine import make_url

from ..errors import PermanentError, RetryableError
from ..eventlog import copying as log_copying
from ..settings import Settings
from ..store import copying as state_copying
from ..store.cursors import PIPELINE
from ..trust.keeping import alone, write_secret
from . import disk
from .belongings import Found, of_settings, of_state
from .disk import Progress
from .manifest import EVENTS, FILE, FORMAT, STATE, UNFINISHED, Journal, LeftOut, Manifest, Piece

_PARTS = ("databases", "state", "settings", "outside", FILE, FILE + ".new")


class _Taken(Struct, frozen=True):
    pieces: list[Piece]
    left_out: list[LeftOut]


def file_of(url: str) -> Path | None:
    """Return the file of an SQLite address; None: another kind of database."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite" or not address.database:
        return None
    return Path(address.database)


async def take(
    settings: Settings, file: Path, folder: Path, *, now: datetime, version: str, tell: Progress
) -> Manifest:
    """Take a backup.

    Args:
        settings: Of the collector.
        file: Where they stand.
        folder: New, empty, or an unfinished backup, which is begun anew.
        now: When.
        version: Of the program.
        tell: Told how far it is.

    Raises:
        PermanentError: There is nothing to back up, the folder holds something, or it cannot be written.
        RetryableError: A database is busy or away.
    """
    databases = [path for url in (settings.database_url, settings.events_url) if (path := file_of(url))]
    for path in databases:
        if not path.is_file():
            raise PermanentError(f"{path}: no such database; name the settings of a collector that has run")
    refuse_inside(folder, settings.state)
    try:
        _begin(folder)
        with alone(settings.state):
            taken = _copy(of_state(settings.state, databases), folder, tell)
        taken.pieces.append(await _copy_state(settings.database_url, folder / STATE, tell))
        taken.pieces.append(await _copy_events(settings.events_url, folder / EVENTS, tell))
        beside = _copy(of_settings(settings, file, databases), folder, tell)
        taken = _Taken([*taken.pieces, *beside.pieces], [*taken.left_out, *beside.left_out])
        manifest = _described(folder, taken, settings.unit, now, version)
        _end(folder, manifest)
    except OSError as error:
        raise PermanentError(f"{error.filename or folder}: {error.strerror}") from error
    except sqlite3.Error as error:
        raise RetryableError(f"{folder}: the databases could not be copied: {error}") from error
    return manifest


def refuse_inside(folder: Path, state: Path) -> None:
    """Refuse a backup that lies in the state folder: it would be taken into itself, or set aside with it.

    Raises:
        PermanentError: It is so.
    """
    if folder.resolve().is_relative_to(state.resolve()):
        raise PermanentError(f"{folder}: lies in the state folder itself; name one elsewhere")


def _begin(folder: Path) -> None:
    disk.make_folders(folder)
    there = sorted(entry.name for entry in folder.iterdir())
    if there and UNFINISHED not in there:
        raise PermanentError(f"{folder}: found {len(there)} entries, expected a new or an empty folder")
    (folder / UNFINISHED).touch(mode=0o600)
    disk.sync(folder)
    for name in _PARTS:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _copy(found: Found, folder: Path, tell: Progress) -> _Taken:
    taken = _Taken([], list(found.left_out))
    for number, (path, place) in enumerate(found.files, 1):
        try:
            copied = disk.copy(path, folder / place)
        except FileNotFoundError:  # a draft that was put in its place meanwhile
            taken.left_out.append(LeftOut(path=str(path), why="made_anew"))
            continue
        taken.pieces.append(_piece(place, copied, str(path)))
        tell(place.partition("/")[0], number, len(found.files))
    return taken


def _piece(place: str, copied: disk.Sum, origin: str) -> Piece:
    return Piece(path=place, size=copied.size, sha256=copied.sha256, origin=origin)


async def _copy_state(url: str, target: Path, tell: Progress) -> Piece:
    if (path := file_of(url)) is not None:
        disk.snapshot(path, target, tell)
        return _piece(STATE, disk.sum_of(target), str(path))
    disk.make_folders(target.parent)
    await state_copying.copy_out(url, target, lambda done, total: tell(target.name, done, total))
    return _settled(target, STATE, url)


async def _copy_events(url: str, target: Path, tell: Progress) -> Piece:
    if (path := file_of(url)) is not None:
        disk.snapshot(path, target, tell)
        return _piece(EVENTS, disk.sum_of(target), str(path))
    disk.make_folders(target.parent)
    await log_copying.copy_out(url, target, lambda done, total: tell(target.name, done, total))
    return _settled(target, EVENTS, url)


def _settled(target: Path, place: str, url: str) -> Piece:
    """One file, of its owner alone, on the disk."""
    with closing(sqlite3.connect(target)) as db:
        disk.alone(db)
    target.chmod(0o600)
    disk.sync(target)
    return _piece(place, disk.sum_of(target), make_url(url).render_as_string(hide_password=True))


def _described(folder: Path, taken: _Taken, unit: str, now: datetime, version: str) -> Manifest:
    with _opened(folder / STATE) as state, _opened(folder / EVENTS) as events:
        schema = state.execute("SELECT version_num FROM alembic_version").fetchone()
        ends = state.execute(
            "SELECT chain, max(n), hash FROM journal GROUP BY chain ORDER BY chain"
        ).fetchall()
        return Manifest(
            format=FORMAT,
            made_at=now,
            version=version,
            unit=unit,
            schema=schema[0],
            journal=Journal(entries=sum(n for _, n, _ in ends), ends=ends),
            cursor=number(state, "SELECT coalesce(max(position), 0) FROM cursors WHERE name = ?", PIPELINE),
            newest=number(events, "SELECT coalesce(max(position), 0) FROM batch"),
            files=sorted(taken.pieces, key=lambda piece: piece.path),
            left_out=sorted(taken.left_out, key=lambda one: one.path),
        )


def _opened(path: Path) -> "closing[sqlite3.Connection]":
    return closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True))


def number(db: sqlite3.Connection, query: str, *values: str) -> int:
    """Return the one number that a query gives."""
    return int(db.execute(query, values).fetchone()[0])


def _end(folder: Path, manifest: Manifest) -> None:
    for parent, folders, _ in os.walk(folder):
        for name in (".", *folders):
            disk.sync(Path(parent, name))
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    write_secret(folder / FILE, text)
    (folder / UNFINISHED).unlink()
    disk.sync(folder)
