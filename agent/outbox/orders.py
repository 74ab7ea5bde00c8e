"""The orders this node has brought to an end, so that none is carried out twice."""

import sqlite3

import msgspec

from wire.codec import encode
from wire.messages import Outcome

from ..clock import Clock
from .entry import Entry
from .ledger import Ledger

_outcomes = msgspec.json.Decoder(Outcome)


class OrderBook:
    """The table `orders`; every method is part of a transaction that the caller commits."""

    def __init__(self, db: sqlite3.Connection, clock: Clock, ledger: Ledger) -> None:
        self._db = db
        self._clock = clock
        self._ledger = ledger

    def ended(self, order: str) -> bool:
        """Whether the order has its outcome; one that is asked for again is told again."""
        row = self._db.execute("SELECT told FROM orders WHERE id = ?", [order]).fetchone()
        if row is not None and row[0]:
            self._db.execute("UPDATE orders SET told = 0 WHERE id = ?", [order])
        return row is not None

    def conclude(self, outcome: Outcome, entries: list[Entry]) -> bool:
        """Write the outcome and what the order brought, together; False when it has one already."""
        if self._db.execute("SELECT 1 FROM orders WHERE id = ?", [outcome.order]).fetchone():
            return False
        for entry in entries:
            self._ledger.accept(entry)
        self._db.execute(
            "INSERT INTO orders (id, outcome, at) VALUES (?, ?, ?)",
            [outcome.order, encode(outcome), self._clock.now().timestamp()],
        )
        return True

    def untold(self) -> list[Outcome]:
        """Return the outcomes the collector has not confirmed, oldest first."""
        rows = self._db.execute("SELECT outcome FROM orders WHERE told = 0 ORDER BY at LIMIT 100")
        return [_outcomes.decode(row[0]) for row in rows]

    def told(self, order: str) -> None:
        """Remember that the collector has the outcome."""
        self._db.execute("UPDATE orders SET told = 1 WHERE id = ?", [order])
