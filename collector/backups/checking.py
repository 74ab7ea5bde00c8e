"""Checks a backup without touching anything: every file, both databases, the journal's chains, the keys."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
from cryptography import x509
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import PermanentError
from ..store.checkpoints import read_checkpoints
from ..store.copying import read_only
from ..store.journal import read_chains
from ..store.migrations import NEWEST
from ..store.references import dangling
from ..trust.ca import load_key
from ..trust.checkpoints import Checkpoint, Witness, known_key, newest_kept
from ..trust.journal_chain import Verifier
from . import disk
from .disk import Progress
from .manifest import EVENTS, STATE, Manifest, read_manifest
from .taking import number


class Checked(Struct, frozen=True, kw_only=True):
    """What a look at a backup found.

    Fields:
        entries, chains, checkpoints: Of the journal, as far as it was read.
        faults: A sentence each; empty: the backup is whole and can be restored by this version.
    """

    manifest: Manifest
    entries: int = 0
    chains: int = 0
    checkpoints: int = 0
    faults: list[str]


async def check(folder: Path, tell: Progress) -> Checked:
    """Look at everything of a backup; nothing is written, neither there nor elsewhere.

    Raises:
        PermanentError: It is no backup, or an unfinished one.
    """
    manifest = read_manifest(folder)
    faults = list(_files(folder, manifest, tell))
    if manifest.schema > NEWEST:
        faults.append(
            f"schema: found {manifest.schema}, this version of Fengsui knows {NEWEST}; "
            "install the version that made the backup"
        )
    if faults:  # what is read below would only say the same in harder words
        return Checked(manifest=manifest, faults=faults)
    tell("databases", 0, 3)
    faults += _databases(folder, manifest)
    faults += _keys(folder / "state")
    tell("databases", 1, 3)
    if faults:
        return Checked(manifest=manifest, faults=faults)
    checked = await _state(folder, manifest)
    tell("databases", 3, 3)
    return checked


async def walk_journal(
    connection: AsyncConnection, state: Path, newest: Checkpoint | None
) -> tuple[Verifier, Witness]:
    """Hold every entry of the journal against its chain and against what was signed.

    Args:
        connection: To the state database.
        state: The folder of the journal's key.
        newest: The checkpoint kept outside the database, read before the database was.

    Raises:
        PermanentError: The folder's files are damaged.
    """
    verifier = Verifier()
    signed = [msgspec.convert(one, Checkpoint) for one in await read_checkpoints(connection)]
    witness = Witness(signed, known_key(state), newest)
    async for row in read_chains(connection):
        verifier.feed(row)
        witness.feed(row)
    return verifier, witness


async def _state(folder: Path, manifest: Manifest) -> Checked:
    state = folder / "state"
    try:
        async with read_only(folder / STATE) as connection:
            verifier, witness = await walk_journal(connection, state, newest_kept(state))
            faults = [
                f"journal: chain {one.chain} breaks at entry {one.n}: {one.why}"
                for one in (*verifier.breaks, *witness.breaks())
            ]
            faults += [fault async for fault in _lost(connection)]
    except (SQLAlchemyError, PermanentError) as error:
        return Checked(manifest=manifest, faults=[f"{STATE}: cannot be read: {error}"])
    if verifier.entries != manifest.journal.entries:
        faults.append(f"journal: found {verifier.entries} entries, expected {manifest.journal.entries}")
    return Checked(
        manifest=manifest,
        entries=verifier.entries,
        chains=verifier.chains,
        checkpoints=witness.checkpoints,
        faults=faults,
    )


async def _lost(connection: AsyncConnection) -> AsyncIterator[str]:
    async for one in dangling(connection):
        yield f"{one.column}: found {one.rows} rows whose other row is missing, such as {one.example}"


def _files(folder: Path, manifest: Manifest, tell: Progress) -> Iterator[str]:
    done = 0
    for piece in manifest.files:
        path = folder / piece.path
        try:
            if path.is_symlink():
                yield f"{piece.path}: found a link, expected the file itself"
                continue
            found = disk.sum_of(path)
        except OSError as error:
            yield f"{piece.path}: {error.strerror}"
            continue
        if found.size != piece.size:
            yield f"{piece.path}: found {found.size} bytes, expected {piece.size}"
        elif found.sha256 != piece.sha256:
            yield f"{piece.path}: found SHA-256 {found.sha256}, expected {piece.sha256}"
        done += piece.size
        tell("files", done, manifest.size)


def _databases(folder: Path, manifest: Manifest) -> Iterator[str]:
    for name in (STATE, EVENTS):
        uri = f"{(folder / name).absolute().as_uri()}?mode=ro&immutable=1"
        try:
            with closing(sqlite3.connect(uri, uri=True)) as db:
                for (line,) in db.execute("PRAGMA integrity_check(10)"):
                    if line != "ok":
                        yield f"{name}: damaged: {line}"
                for table, row, named, _ in db.execute("PRAGMA foreign_key_check"):
                    yield f"{name}: row {row} of {table} names a row of {named} that is missing"
                yield from _agrees(db, name, manifest)
        except sqlite3.Error as error:
            yield f"{name}: damaged: {error}"


def _agrees(db: sqlite3.Connection, name: str, manifest: Manifest) -> Iterator[str]:
    if name == STATE:
        (schema,) = db.execute("SELECT version_num FROM alembic_version").fetchone() or ("none",)
        if schema != manifest.schema:
            yield f"schema: found {schema}, expected {manifest.schema}"
        return
    newest = number(db, "SELECT coalesce(max(position), 0) FROM batch")
    if not manifest.cursor <= manifest.newest == newest:
        yield f"{name}: ends at position {newest}, expected {manifest.newest}, not before {manifest.cursor}"
    torn = number(
        db,
        "SELECT count(*) FROM (SELECT node, epoch, max(last) AS last FROM batch GROUP BY node, epoch) AS b"
        " LEFT JOIN session AS s USING (node, epoch) WHERE s.highest IS NULL OR s.highest < b.last",
    )
    if torn:
        yield f"{name}: found {torn} sessions behind their own batches"


def _keys(state: Path) -> Iterator[str]:
    """A certificate that is not that of its key would be found only at the first start."""
    for name in ("ca", "ca-next"):
        key, certificate = state / f"{name}.key", state / f"{name}.pem"
        if not certificate.exists() and not key.exists():
            continue
        try:
            loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
            if loaded.public_key() != load_key(key).public_key():
                yield f"state/{name}.pem: belongs to another key than state/{name}.key"
        except (OSError, ValueError) as error:
            yield f"state/{name}.pem: cannot be used: {error}"
