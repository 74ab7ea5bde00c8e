"""For which node the outbox speaks: to a collector another node's numbers mean nothing.

A host that enrols anew, or parts from its clone, goes on with its outbox under another id, of which the
collector holds nothing yet. Its numbers begin anew as well: else all that was acknowledged under the old id
would look like a loss of the collector's, and be told as one.
"""

import sqlite3

# Not part of the file's format: an older agent passes over it.
TABLE = """CREATE TABLE IF NOT EXISTS speaker (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    node TEXT NOT NULL
) STRICT"""


def becomes(db: sqlite3.Connection, node: str) -> bool:
    """Remember for whom it speaks from now on; whether that is another than before.

    Part of a transaction that the caller commits.
    """
    row = db.execute("SELECT node FROM speaker").fetchone()
    if row is not None and row[0] == node:
        return False
    db.execute("INSERT OR REPLACE INTO speaker VALUES (1, ?)", [node])
    return row is not None
