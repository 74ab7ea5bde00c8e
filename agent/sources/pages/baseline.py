"""The accepted content of a web root, and how it differs from it now; one SQLite file a root.

The content that counts changes only by `accept`, a person's act. What this file remembers besides (the
`drift` and the episode it belongs to) is written when the report of it is durable, and not before.
"""

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from .tampering import Change, Episode

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    path TEXT PRIMARY KEY, sha256 TEXT NOT NULL, size INTEGER NOT NULL, stamp TEXT NOT NULL, text BLOB
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS drift (path TEXT PRIMARY KEY, change BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""
_ACCEPTED = "SELECT path, sha256, size, stamp FROM entry"
_BUSY_SECONDS, _PAGE = 10, 500


class Entry(Struct, frozen=True):
    """A file as accepted. `stamp` is its inode, size and times: the same stamp spares a hash."""

    path: str
    sha256: str
    size: int
    stamp: str
    text: bytes | None = None


class Accepted(Struct, frozen=True, gc=False):
    """A file as accepted, without its text."""

    path: str
    sha256: str
    size: int
    stamp: str


class Baseline:
    """The baseline of one root, in `state`/files."""

    def __init__(self, root: Path, state: Path) -> None:
        self.file = (
            state.absolute() / "files" / f"{hashlib.sha256(str(root).encode()).hexdigest()[:16]}.sqlite3"
        )
        self.state = state
        self._root = root

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Give a connection inside one write transaction."""
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._connected(f"{self.file.as_uri()}?mode=rwc") as connection:
            connection.execute("PRAGMA synchronous=FULL")
            connection.executescript(_SCHEMA)
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self._connected(f"{self.file.as_uri()}?mode=ro") as connection:
            yield connection

    @contextmanager
    def _connected(self, uri: str) -> Iterator[sqlite3.Connection]:
        try:
            connection = sqlite3.connect(uri, timeout=_BUSY_SECONDS, isolation_level=None, uri=True)
            try:
                yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise OSError(f"{self.file}: {error} (what was accepted of {self._root})") from error

    def generation(self) -> int:
        """Return the number of the accepted content, 0 where nothing was accepted yet.

        Raises:
            OSError: the file is there and can't be read, or is damaged.
        """
        if not self.file.exists():
            return 0
        with self._read() as connection:
            made = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
            if not made:
                return 0  # another process is just taking the first content
            row = connection.execute("SELECT value FROM meta WHERE name = 'generation'").fetchone()
        return int(row[0]) if row else 0

    def rows(self, place: str = "") -> Iterator[Accepted]:
        """Yield what was accepted at a path and below it, by path; "" is the whole root.

        It is read in pages: between them the file is free to be written.
        """
        # "0" is the character after "/"; no path is empty, and none goes as high as the last.
        after, end = (f"{place}/", f"{place}0") if place else ("", chr(0x10FFFF))
        yield from self.accepted([place] if place else []).values()
        query = f"{_ACCEPTED} WHERE path > ? AND path < ? ORDER BY path LIMIT {_PAGE}"
        while True:
            with self._read() as connection:
                page = [Accepted(*row) for row in connection.execute(query, (after, end))]
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].path

    def accepted(self, paths: Sequence[str]) -> dict[str, Accepted]:
        """Return what was accepted of some paths; those that were not are left out."""
        found: dict[str, Accepted] = {}
        with self._read() as connection:
            for start in range(0, len(paths), _PAGE):
                page = paths[start : start + _PAGE]
                query = f"{_ACCEPTED} WHERE path IN ({', '.join('?' * len(page))})"
                found |= {row[0]: Accepted(*row) for row in connection.execute(query, page)}
        return found

    def text(self, path: str) -> bytes | None:
        """Return the accepted text of a file, None where it was none or too long."""
        with self._read() as connection:
            row = connection.execute("SELECT text FROM entry WHERE path = ?", (path,)).fetchone()
        return zlib.decompress(row[0]) if row and row[0] else None

    def version(self) -> int:
        """Return the version of the signed manifest that was accepted last, 0 where none was."""
        if not self.generation():
            return 0
        with self._read() as connection:
            row = connection.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
        return int(row[0]) if row else 0

    def accept(self, entries: Iterable[Entry], version: int | None = None) -> int:
        """Take `entries` for the content that counts, forget all drift, and return how many they are.

        `version` is that of a signed manifest; what a person accepts keeps the one before.
        """
        with self._open() as connection:
            row = connection.execute("SELECT value FROM meta WHERE name = 'generation'").fetchone()
            connection.execute("DELETE FROM entry")
            connection.execute("DELETE FROM drift")
            rows = (
                (one.path, one.sha256, one.size, one.stamp, zlib.compress(one.text) if one.text else None)
                for one in entries
            )
            count = connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", rows).rowcount
            connection.execute(
                "INSERT OR REPLACE INTO meta VALUES ('generation', ?)", (int(row[0]) + 1 if row else 1,)
            )
            if version is not None:
                connection.execute("INSERT OR REPLACE INTO meta VALUES ('version', ?)", (version,))
        return max(count, 0)

    def restamp(self, stamps: Iterable[tuple[str, str]]) -> None:
        """Note new stamps of files whose content is what it was."""
        with self._open() as connection:
            connection.executemany(
                "UPDATE entry SET stamp = ? WHERE path = ?", ((stamp, path) for path, stamp in stamps)
            )

    def told(self) -> tuple[dict[str, Change], Episode | None]:
        """Return the drift and the episode as last reported."""
        with self._read() as connection:
            changes = [
                msgspec.json.decode(row[0], type=Change)
                for row in connection.execute("SELECT change FROM drift")
            ]
            row = connection.execute("SELECT value FROM meta WHERE name = 'episode'").fetchone()
        episode = msgspec.json.decode(row[0], type=Episode) if row else None
        return {change.path: change for change in changes}, episode

    def tell(self, drift: dict[str, Change], episode: Episode | None) -> None:
        """Remember what was reported; only after the report is durable."""
        with self._open() as connection:
            connection.execute("DELETE FROM drift")
            connection.executemany(
                "INSERT INTO drift VALUES (?, ?)",
                ((path, msgspec.json.encode(change)) for path, change in drift.items()),
            )
            if episode:
                connection.execute(
                    "INSERT OR REPLACE INTO meta VALUES ('episode', ?)", (msgspec.json.encode(episode),)
                )
            else:
                connection.execute("DELETE FROM meta WHERE name = 'episode'")
