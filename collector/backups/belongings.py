"""What belongs to a collector besides its databases: its state folder, and what its settings name."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from ..errors import PermanentError
from ..settings import Settings
from .manifest import LeftOut, Why
from .occupied import LOCK, MARK

SET_ASIDE = "before-restore-"
STAGING = "restore.new"
_MADE_ANEW = {LOCK, MARK, "ports.json"}
_DRAFT = ".new"
_DATABASE_PARTS = ("", "-wal", "-shm", "-journal")
_UNNAMED_BYTES = 16 * 1024 * 1024
_MOST = 100_000


class Found(Struct, frozen=True):
    """Files to take, each with its place in the backup, and what is not taken."""

    files: list[tuple[Path, str]]
    left_out: list[LeftOut]


def of_state(state: Path, databases: Sequence[Path]) -> Found:
    """Return everything of a state folder but its databases.

    Raises:
        PermanentError: There are more than 100 000 files.
        OSError: A folder cannot be read.
    """
    apart = parts_of(databases)
    found = Found([], [])
    for entry in _sorted(state):
        if Path(entry.path) in apart:
            continue
        if entry.name in _MADE_ANEW or entry.name.endswith((_DRAFT, ".restoring")):
            found.left_out.append(LeftOut(path=entry.path, why="made_anew"))
        elif entry.name.startswith(SET_ASIDE) or entry.name == STAGING:
            found.left_out.append(LeftOut(path=entry.path, why="set_aside"))
        else:
            _take(entry, f"state/{entry.name}", found)
    return found


def parts_of(databases: Sequence[Path]) -> set[Path]:
    """Return the files that an SQLite database may consist of while it is open."""
    return {path.with_name(path.name + part) for path in databases for part in _DATABASE_PARTS}


def of_settings(settings: Settings, file: Path, databases: Sequence[Path]) -> Found:
    """Return the files of the settings' folder, and every file and folder that the settings name.

    Raises:
        PermanentError: There are more than 100 000 files.
        OSError: A folder cannot be read.
    """
    file = file.resolve()
    named = list(dict.fromkeys([file, *(Path(path).resolve() for path in _named(settings))]))
    found = Found([], [])
    for entry in _sorted(file.parent):
        if not _taken_otherwise(Path(entry.path), settings.state, named, parts_of(databases)):
            _take_beside(entry, found)
    for number, path in enumerate(named, 1):
        inside = path.is_relative_to(file.parent)
        place = f"settings/{path.relative_to(file.parent)}" if inside else f"outside/{number}/{path.name}"
        _take_named(path, place, found)
    _bound(found, file.parent)
    return Found(
        [(path, place) for place, path in {place: path for path, place in found.files}.items()],
        found.left_out,
    )


def _taken_otherwise(path: Path, state: Path, named: Sequence[Path], databases: set[Path]) -> bool:
    """Whether it is, holds or lies beside something that is taken for another reason."""
    if path in databases or path.resolve() == state.resolve() or path.parent.resolve() == state.resolve():
        return True
    return any(path.resolve() == one or path in one.parents for one in named)


def _take_beside(entry: os.DirEntry[str], found: Found) -> None:
    if (why := _passed_by(entry)) is None:
        found.files.append((Path(entry.path), f"settings/{entry.name}"))
    else:
        found.left_out.append(LeftOut(path=entry.path, why=why))


def _passed_by(entry: os.DirEntry[str]) -> Why | None:
    """Why something beside the settings, which they do not name, is not taken."""
    if entry.is_dir():
        return "not_named"
    if not entry.is_file():
        return "no_file"
    return "too_large" if entry.stat().st_size > _UNNAMED_BYTES else None


def _named(settings: Settings) -> Iterator[str]:
    yield from filter(
        None,
        (
            settings.registry,
            settings.regimes,
            settings.playbooks,
            settings.escalation,
            settings.calendars,
            settings.documents,
            settings.sigma,
        ),
    )
    for channel in settings.channels:
        yield from filter(None, (channel.secret_file, channel.mail.ca_file if channel.mail else ""))


def _take_named(path: Path, place: str, found: Found) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        found.left_out.append(LeftOut(path=str(path), why="missing"))
        return
    if stat.S_ISDIR(mode):
        for entry in _sorted(path):
            _take(entry, f"{place}/{entry.name}", found)
    elif stat.S_ISREG(mode):
        found.files.append((path, place))
    else:
        found.left_out.append(LeftOut(path=str(path), why="no_file"))


def _take(entry: os.DirEntry[str], place: str, found: Found) -> None:
    """Take a file or, without following links to others, a folder."""
    if entry.is_file():
        found.files.append((Path(entry.path), place))
    elif entry.is_dir(follow_symlinks=False):
        for below in _sorted(Path(entry.path)):
            _take(below, f"{place}/{below.name}", found)
    else:
        found.left_out.append(LeftOut(path=entry.path, why="no_file"))
    _bound(found, Path(entry.path))


def _bound(found: Found, where: Path) -> None:
    if len(found.files) > _MOST:
        raise PermanentError(f"{where}: found more than {_MOST} files, expected a collector's own folder")


def _sorted(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)
