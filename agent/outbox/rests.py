"""The sources that rest because they spent too much, so that a restart gives none of them a new purse."""

import sqlite3

from ..budget import Rest
from ..clock import Clock

# Not part of the file's format: an older agent passes over it, and a newer one misses it for one cool-down.
TABLE = """CREATE TABLE IF NOT EXISTS rests (
    account TEXT PRIMARY KEY,
    boot_id TEXT NOT NULL,
    monotonic REAL NOT NULL,
    until REAL NOT NULL,
    seconds REAL NOT NULL
) STRICT"""


class Rests:
    """The table `rests`; every method is part of a transaction that the caller commits."""

    def __init__(self, db: sqlite3.Connection, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def note(self, rest: Rest) -> None:
        """Remember a cool-down that begins now."""
        self._db.execute(
            "INSERT OR REPLACE INTO rests VALUES (?, ?, ?, ?, ?)",
            [
                rest.account,
                self._clock.boot_id,
                self._clock.monotonic() + rest.seconds,
                self._clock.now().timestamp() + rest.seconds,
                rest.seconds,
            ],
        )

    def left(self) -> dict[str, float]:
        """Return the seconds left of each cool-down, and forget those that are over.

        Within this boot by the monotonic clock; after a reboot by the wall clock, which somebody may have
        set: no cool-down is longer than it was when it began.
        """
        rows = self._db.execute("SELECT account, boot_id, monotonic, until, seconds FROM rests").fetchall()
        left = {}
        for account, boot_id, monotonic, until, seconds in rows:
            same_boot = boot_id == self._clock.boot_id
            rest = monotonic - self._clock.monotonic() if same_boot else until - self._clock.now().timestamp()
            left[account] = min(rest, seconds)
        over = [account for account, rest in left.items() if rest <= 0]
        self._db.executemany("DELETE FROM rests WHERE account = ?", [(account,) for account in over])
        return {account: rest for account, rest in left.items() if rest > 0}
