"""What every event log does, whatever database it stands on.

A row is one batch as it was received. Two things make the log safe to build on:

*The session row moves in the append's transaction.* What a sender is told was stored is exactly what a
reader will find, and a batch sent twice is stored once (`wire.session` says how).

*A cursor never passes what is still being written.* Positions ascend, but may have holes; once a reader has
seen position p, no row at or below p will ever appear. On SQLite there is one writer. On PostgreSQL several
collectors append at once, so positions are handed out under a lock that is held until the commit shows:

    collector A   lock  take 7  insert          commit  unlock
    collector B         waits for the lock ............ lock  take 8  insert  commit
    reader        ..6   ..6                     ..6     ..7                   ..8
"""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from wire import codec, session

from ..errors import RetryableError

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class StorageFullError(RetryableError):
    """The disk or the database under the log is full; nothing of the batch was stored."""


class Entry(Struct, frozen=True, kw_only=True):
    """One stored batch.

    Fields:
        position: Where it stands in the log; ascending, with holes.
        node, epoch: Whose session it belongs to.
        floor: Reports numbered at or below it were stored before: skip them.
        last: Number of its last report.
        count: Reports above `floor`.
        received_at: When the collector had read it whole; UTC.
        stored: The body as received: JSON, or one zstd frame or gzip member of it.
    """

    position: int
    node: str
    epoch: str
    floor: int
    last: int
    count: int
    received_at: datetime
    stored: bytes

    @property
    def body(self) -> bytes:
        """The `wire.messages.Batch` as plain JSON."""
        encoding = codec.ZSTD if self.stored.startswith(_ZSTD_MAGIC) else codec.IDENTITY
        if self.stored.startswith(codec.GZIP_MAGIC):
            encoding = codec.GZIP
        return codec.unpack(self.stored, encoding)


class Extent(Struct, frozen=True, kw_only=True):
    """How much the log holds; `first` and `last` are positions, both 0 while it is empty."""

    first: int
    last: int
    bytes: int


class EventLog(Protocol):
    """Append, read from a cursor, trim.

    Every method may raise `RetryableError` (the database is busy or away: the same call may work later) and
    `StorageFullError`, a kind of it.
    """

    async def append(
        self, node: str, epoch: str, batch: session.Slice, body: bytes, received_at: datetime
    ) -> session.Take | session.Repeat | session.Refuse:
        """Judge a batch and store what is new of it; returns after it is on the disk.

        A caller that goes away does not undo it: what was begun may be stored all the same.

        Raises:
            session.DisorderError: the numbers do not ascend; nothing is stored.
        """
        ...

    async def held(self, node: str, epoch: str) -> session.Held:
        """Return what is held of a session; the empty `Held` for one never seen."""
        ...

    async def read(self, after: int, limit_rows: int, limit_bytes: int) -> list[Entry]:
        """Return the entries above `after` in order, at most `limit_rows`.

        Reading stops before the entry that would pass `limit_bytes` (as stored), but never before the first.
        """
        ...

    async def wait_for(self, after: int) -> None:
        """Return as soon as `read(after, …)` would return something."""
        ...

    async def trim(self, up_to: int, older_than: datetime) -> int:
        """Drop entries at or below position `up_to` that were received before `older_than`.

        The newest entry always stays and session rows are never dropped, so positions and sessions go on.

        Returns:
            How many entries were dropped.
        """
        ...

    async def extent(self) -> Extent:
        """Return how much the log holds."""
        ...

    async def close(self) -> None:
        """Store what was begun, then let go of the database. Calls after it raise `RetryableError`."""
        ...
