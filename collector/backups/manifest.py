"""What a backup says of itself (pure but for its own file)."""

import re
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from wire.codec import UNREADABLE

from ..errors import PermanentError

FILE = "manifest.json"
UNFINISHED = "unfinished"
FORMAT = 1
STATE, EVENTS = "databases/state.db", "databases/events.db"
_MAX_BYTES = 64 * 1024 * 1024
_STEP = re.compile(r"(?!\.{1,2}$)[^/\0]{1,255}")

Why = Literal["made_anew", "set_aside", "no_file", "not_named", "too_large", "missing"]


class Piece(Struct, frozen=True, kw_only=True):
    """A file of the backup.

    Fields:
        path: Below the backup's folder, with `/`.
        size: Bytes.
        sha256: In hex.
        origin: Where it was, or the database's address without its password.
    """

    path: str
    size: int
    sha256: str
    origin: str


class LeftOut(Struct, frozen=True, kw_only=True):
    """Something that lay beside what was taken, and was not.

    Fields:
        why: `made_anew` (at each start), `set_aside` (by an earlier restore), `no_file` (a socket, a link to
            a folder), `not_named` (a folder beside the settings that they do not name), `too_large` (a file
            beside them that they do not name), `missing` (named, and not there).
    """

    path: str
    why: Why


class Journal(Struct, frozen=True, kw_only=True):
    """Where the journal ended: of each chain the name, the number and the hash of its last entry."""

    entries: int
    ends: list[tuple[str, int, str]]


class Manifest(Struct, frozen=True, kw_only=True):
    """Everything of a backup.

    Fields:
        version: Of the program that made it.
        schema: Of the state database: the newest migration it has seen.
        cursor: Up to which position of the event log the state knows.
        newest: The event log's last position; never below `cursor`.
    """

    format: int
    made_at: datetime
    version: str
    unit: str
    schema: str
    journal: Journal
    cursor: int
    newest: int
    files: list[Piece]
    left_out: list[LeftOut]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(piece.size for piece in self.files)


def read_manifest(folder: Path) -> Manifest:
    """Return what a backup says of itself.

    Raises:
        PermanentError: The folder is no backup, an unfinished one, or one of a format that is not known here.
    """
    path = folder / FILE
    if (folder / UNFINISHED).exists():
        raise PermanentError(f"{folder}: this backup was not finished; make another")
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise PermanentError(
            f"{path}: {error.strerror}; name the folder that `fengsui-collector backup` made"
        ) from None
    if len(raw) > _MAX_BYTES:
        raise PermanentError(f"{path}: found more than {_MAX_BYTES} bytes, expected a backup's manifest")
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except UNREADABLE as error:
        raise PermanentError(f"{path}: not a backup's manifest: {error}") from None
    _refuse_strange(manifest, path)
    return manifest


def _refuse_strange(manifest: Manifest, path: Path) -> None:
    if manifest.format != FORMAT:
        raise PermanentError(
            f"{path}: found format {manifest.format}, expected {FORMAT}; "
            "use the version of Fengsui that made it"
        )
    for piece in manifest.files:
        if not is_inside(piece.path):
            raise PermanentError(
                f"{path}: found the path {piece.path!r}, expected one below the backup's folder"
            )
    missing = {STATE, EVENTS} - {piece.path for piece in manifest.files}
    for name in sorted(missing):
        raise PermanentError(f"{path}: names no {name}; a backup has both databases")


def is_inside(path: str) -> bool:
    """Whether a path stays below the folder it is counted from.

    >>> is_inside("state/superior/key.pem"), is_inside("state/../../etc/passwd"), is_inside("/etc/passwd")
    (True, False, False)
    """
    return len(path) <= 4096 and all(_STEP.fullmatch(step) for step in path.split("/"))
