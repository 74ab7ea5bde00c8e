"""The outbox's rows and the steps that change them; see the room's story.

Every method is part of a transaction that the caller begins and commits; none keeps anything in memory, so
that a transaction rolled back leaves nothing behind.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from wire.codec import encode
from wire.ids import uuid7
from wire.messages import VERSION, Ack, Batch, Refusal, Report
from wire.session import Drop, Held, Renumber, Rewind, recover, settle

from ..clock import Clock
from ..settings import Bounds
from . import bounds as limits
from .entry import Entry, Observed

MOST_REPORTS = 1000
_MOST_REFUSED = 1000
MOST_BYTES = 1024 * 1024
_SOURCE = "outbox"
_INSERT = """INSERT INTO reports
    (seq, id, kind, source, observed_at, boot_id, monotonic, body, accepted, rank, size, lane)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_UNSENT = "FROM reports WHERE number IS NULL"
_SENT = "FROM reports WHERE number IS NOT NULL"
_COLUMNS = "seq, id, kind, source, observed_at, boot_id, monotonic, body"
_WENT_BACK = "the collector was restored from a backup: what it had acknowledged since is gone on both sides"
Settled = Literal["dropped", "rewound", "renumbered", "nothing"]


class Status(Struct, frozen=True):
    """What the outbox holds.

    Fields:
        bytes, reports: What waits, bodies counted with their rows.
        oldest_seconds: How long the oldest report has waited.
        drops: Reports dropped since the file began, by kind.
        refused: Reports set aside because the collector can't take them.
        forks: How often another writer continued our epoch.
        collapsed: States that went into newer ones before they were sent; nothing they said is lost.
    """

    epoch: str
    bytes: int
    reports: int
    oldest_seconds: float
    drops: dict[str, int]
    refused: int
    forks: int
    collapsed: int = 0


class _State(Struct, frozen=True):
    epoch: str
    acked: int
    acked_id: str
    sent: int
    next: int
    held: int


class Ledger:
    """The rows of one outbox file, within bounds."""

    def __init__(self, db: sqlite3.Connection, clock: Clock, bounds: Bounds) -> None:
        self._db = db
        self._clock = clock
        self.bounds = bounds
        self._ceiling = bounds.max_bytes

    def _state(self) -> _State:
        row = self._db.execute("SELECT epoch, acked, acked_id, sent, next, held FROM state").fetchone()
        return _State(*row)

    def accept(self, seen: Observed) -> str:
        """Append a report and return its id; states before it collapse into it, or may now go first."""
        self._collapse(seen)
        identifier = self._append(seen)
        if seen.kind in limits.STATES:
            self._db.execute(
                "UPDATE reports SET rank = ? WHERE kind = ? AND source = ? AND rank = ? AND id <> ?",
                [limits.SUPERSEDED, seen.kind, seen.source, limits.NEWEST_STATE, identifier],
            )
        self._make_room()
        return identifier

    def _collapse(self, seen: Observed) -> None:
        """Let go of the unsent state before it where it says the same better."""
        if limits.lane(seen.kind) != limits.STATE:
            return
        row = self._db.execute(
            f"SELECT seq, body {_UNSENT} AND lane = ? AND kind = ? AND source = ? ORDER BY seq DESC LIMIT 1",
            [limits.STATE, seen.kind, seen.source],
        ).fetchone()
        if row and limits.collapses(seen.kind, msgspec.json.decode(row[1]), seen.body):
            self._db.execute("DELETE FROM reports WHERE seq = ?", [row[0]])
            self._count("collapsed", seen.kind, 1)

    def _append(self, seen: Observed) -> str:
        now = self._clock.now()
        identifier = uuid7(now)
        body = encode(seen.body)
        (seq,) = self._db.execute("UPDATE state SET next = next + 1 RETURNING next - 1").fetchone()
        self._db.execute(
            _INSERT,
            [
                seq,
                identifier,
                seen.kind,
                seen.source,
                seen.observed_at.astimezone(UTC).isoformat(),
                self._clock.boot_id,
                self._clock.monotonic(),
                body,
                now.timestamp(),
                limits.rank(seen.kind),
                len(body) + limits.ROW_OVERHEAD,
                limits.lane(seen.kind),
            ],
        )
        return identifier

    def peek(self, reports: int = MOST_REPORTS, size: int = MOST_BYTES) -> Batch | None:
        """Return the next batch and mark it as sent; None when nothing waits.

        Args:
            reports: At most so many, 1 to 1000.
            size: At most so many bytes of bodies; a single report may have more.
        """
        state = self._state()
        run = self._offered(reports, size) or self._offer(state.sent, reports, size)
        if not run:
            return None
        return Batch(
            version=VERSION,
            epoch=state.epoch,
            after=state.acked,
            after_id=state.acked_id,
            sent_at=self._clock.now(),
            boot_id=self._clock.boot_id,
            monotonic=self._clock.monotonic(),
            reports=run,
        )

    def _offered(self, reports: int, size: int) -> list[Report]:
        """Return what was offered and not answered, as it was."""
        rows = self._db.execute(
            f"SELECT number, {_COLUMNS} {_SENT} ORDER BY number LIMIT ?",
            [reports],
        )
        return [_report(number, row) for number, *row in _within(rows, size)]

    def _offer(self, sent: int, reports: int, size: int) -> list[Report]:
        """Give the next reports their numbers, lane by lane."""
        rows = self._db.execute(f"SELECT NULL, {_COLUMNS} {_UNSENT} ORDER BY lane, seq LIMIT ?", [reports])
        run = [row for _, *row in _within(rows, size)]
        numbered = list(enumerate(run, sent + 1))
        self._db.executemany(
            "UPDATE reports SET number = ? WHERE seq = ?", [(number, row[0]) for number, row in numbered]
        )
        self._db.execute("UPDATE state SET sent = ?", [sent + len(run)])
        return [_report(number, row) for number, row in numbered]

    def acknowledge(self, ack: Ack) -> Settled:
        """Let go of what is safe above; an answer about another epoch changes nothing."""
        state = self._state()
        if ack.epoch != state.epoch:
            return "nothing"
        held = Held(ack.highest, ack.highest_id)
        match settle(held, self._own_id(state, ack.highest)):
            case Drop():
                return self._drop(state, held)
            case Renumber():
                return self._fork()

    def refused(self, refusal: Refusal) -> Settled:
        """Go back to what the collector holds, or begin a new epoch."""
        state = self._state()
        if refusal.epoch != state.epoch:
            return "nothing"
        held = Held(refusal.highest, refusal.highest_id)
        match recover(refusal.reason, held):
            case Rewind():
                return self._rewind(state, held)
            case Renumber():
                return self._fork()

    def _own_id(self, state: _State, number: int) -> str | None:
        if number == state.acked:
            return state.acked_id
        row = self._db.execute("SELECT id FROM reports WHERE number = ?", [number]).fetchone()
        return None if row is None else str(row[0])

    def _drop(self, state: _State, held: Held) -> Settled:
        if held.highest <= state.acked:
            return "nothing"
        self._db.execute("DELETE FROM reports WHERE number <= ?", [held.highest])
        self._db.execute("UPDATE state SET acked = ?, acked_id = ?", [held.highest, held.highest_id])
        return "dropped"

    def _rewind(self, state: _State, held: Held) -> Settled:
        if held.highest >= state.acked:
            return "nothing"
        self._db.execute("UPDATE state SET acked = ?, acked_id = ?", [held.highest, held.highest_id])
        self._count("rewinds", "", 1)
        now = self._clock.now().isoformat()
        self._tell("any", state.acked - held.highest, now, now, _WENT_BACK)
        return "rewound"

    def _fork(self) -> Settled:
        self.renumber()
        self._count("forks", "", 1)
        return "renumbered"

    def renumber(self) -> None:
        """Begin a new epoch: everything held gets a number anew when it is offered, from 1."""
        self._db.execute("UPDATE reports SET number = NULL")
        self._db.execute(
            "UPDATE state SET epoch = ?, acked = 0, acked_id = '', sent = 0", [uuid7(self._clock.now())]
        )

    def set_aside(self, identifier: str, why: str) -> None:
        """Move a report that the collector can't take to the table `refused`, and say so in a gap."""
        row = self._db.execute(
            "SELECT kind, source, observed_at, body FROM reports WHERE id = ?", [identifier]
        ).fetchone()
        if row is None:
            return
        kind, source, observed_at, body = row
        at = self._clock.now().isoformat()
        self._db.execute(
            "INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?, ?, ?)",
            [identifier, kind, source, observed_at, body, why, at],
        )
        self._db.execute("DELETE FROM reports WHERE id = ?", [identifier])
        self._db.execute(
            "DELETE FROM refused WHERE rowid <= (SELECT max(rowid) FROM refused) - ?", [_MOST_REFUSED]
        )
        self._count("refused", kind, 1)
        # A gap about a refused gap would be refused as well, and so on for ever.
        if kind != "gap":
            self._tell(kind, 1, observed_at, observed_at, f"refused by the collector, set aside: {why}")

    def tell_missed(self, why: str) -> None:
        """Report that an unknown number of reports of every kind is gone."""
        now = self._clock.now().isoformat()
        self._tell("any", None, now, now, why)

    def tidy(self, free: int) -> None:
        """Apply age and free disk; called now and then.

        Args:
            free: Bytes free on the outbox's disk.
        """
        self._drop_old()
        self._ceiling = limits.telemetry_ceiling(self._state().held, free, self.bounds)
        self._make_room()
        self._db.execute(
            "DELETE FROM orders WHERE told = 1 AND at < ?", [self._clock.now().timestamp() - 30 * 86400]
        )

    def _drop_old(self) -> None:
        """Within this boot age is by the monotonic clock, so that a set clock ages nothing."""
        seconds = self.bounds.max_age_hours * 3600
        rows = self._db.execute(
            f"SELECT seq, kind, size, observed_at {_UNSENT} AND rank <= ?"
            " AND CASE boot_id WHEN ? THEN monotonic < ? ELSE accepted < ? END",
            [
                limits.TELEMETRY,
                self._clock.boot_id,
                self._clock.monotonic() - seconds,
                self._clock.now().timestamp() - seconds,
            ],
        )
        self._let_go(rows.fetchall(), "age: older than max_age_hours and not delivered")

    def _make_room(self) -> None:
        held = self._state().held
        if held > self.bounds.max_bytes:
            self._free(held - self.bounds.max_bytes, limits.GAP, "bytes: the outbox reached max_bytes")
        elif held > self._ceiling:
            self._free(held - self._ceiling, limits.TELEMETRY, "disk: less than min_free_bytes free")

    def _free(self, wanted: int, up_to_rank: int, why: str) -> None:
        """Drop unsent rows by rank, then age, until `wanted` bytes are free."""
        rows = self._db.execute(
            f"SELECT seq, kind, size, observed_at {_UNSENT} AND rank <= ? ORDER BY rank, seq",
            [up_to_rank],
        )
        gone: list[tuple[int, str, int, str]] = []
        while wanted > 0 and (row := rows.fetchone()):
            gone.append(row)
            wanted -= row[2]
        rows.close()
        self._let_go(gone, why)

    def _let_go(self, rows: list[tuple[int, str, int, str]], why: str) -> None:
        self._db.executemany("DELETE FROM reports WHERE seq = ?", [(row[0],) for row in rows])
        for kind in sorted({row[1] for row in rows}):
            times = [row[3] for row in rows if row[1] == kind]
            self._count("dropped", kind, len(times))
            self._tell(kind, len(times), min(times), max(times), why)

    def _tell(self, kind: str, count: int | None, start: str, end: str, why: str) -> None:
        """Report a loss, in the unsent row that already tells of the same kind and reason if there is one."""
        rows = self._db.execute(
            f"SELECT seq, body {_UNSENT} AND kind = 'gap' AND source = ?",
            [_SOURCE],
        )
        for seq, body in rows.fetchall():
            told = msgspec.json.decode(body)
            if told.get("kind") == kind and told.get("why") == why and count is not None:
                told |= {
                    "count": told["count"] + count,
                    "from": min(told["from"], start),
                    "to": max(told["to"], end),
                }
                new = msgspec.json.encode(told)
                self._db.execute(
                    "UPDATE reports SET body = ?, size = ? WHERE seq = ?",
                    [new, len(new) + limits.ROW_OVERHEAD, seq],
                )
                return
        body = {"kind": kind, "count": count, "from": start, "to": end, "why": why}
        self._append(Entry("gap", _SOURCE, self._clock.now(), body))

    def _count(self, what: str, kind: str, n: int) -> None:
        self._db.execute(
            "INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
            [what, kind, n],
        )

    def status(self) -> Status:
        """Return what the outbox holds."""
        state = self._state()
        (count,) = self._db.execute("SELECT count(*) FROM reports").fetchone()
        counted = self._db.execute("SELECT what, kind, n FROM counters").fetchall()
        return Status(
            epoch=state.epoch,
            bytes=state.held,
            reports=count,
            oldest_seconds=self._oldest(),
            drops={kind: n for what, kind, n in counted if what == "dropped"},
            refused=sum(n for what, _, n in counted if what == "refused"),
            forks=sum(n for what, _, n in counted if what == "forks"),
            collapsed=sum(n for what, _, n in counted if what == "collapsed"),
        )

    def _oldest(self) -> float:
        row = self._db.execute(
            "SELECT boot_id, monotonic, accepted FROM reports ORDER BY seq LIMIT 1"
        ).fetchone()
        if row is None:
            return 0.0
        boot_id, monotonic, accepted = row
        if boot_id == self._clock.boot_id:
            return max(0.0, self._clock.monotonic() - float(monotonic))
        return max(0.0, self._clock.now().timestamp() - float(accepted))


def _within(rows: Iterable[tuple[Any, ...]], size: int) -> Iterator[tuple[Any, ...]]:
    """Yield rows of a batch while they fit; the first always does."""
    taken = 0
    for row in rows:
        cost = len(row[-1]) + limits.ROW_OVERHEAD
        taken += cost
        if taken > size and taken > cost:
            return
        yield row


def _report(number: int, row: Sequence[Any]) -> Report:
    _, identifier, kind, source, observed_at, boot_id, monotonic, body = row
    return Report(
        id=identifier,
        seq=number,
        kind=kind,
        source=source,
        observed_at=datetime.fromisoformat(observed_at),
        boot_id=boot_id,
        monotonic=monotonic,
        body=Raw(body),
    )
