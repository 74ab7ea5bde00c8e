"""What is on this node's disk and not yet safe above: a queue that never loses silently.

A report is *accepted* when `accept` returns: it is in the file, after fsync. It leaves the file in three ways
only: acknowledged, dropped by a stated bound (and the drop is itself a report of kind `gap`), or set aside
because the collector can't take it (a `gap` says so; the table `refused` keeps the newest thousand).

    number   1     2     3     4     -     -
           acked  acked  |sent  sent| new   new        state: acked 2, id b; sent 4
                          ^^^^^^^^^^  ^^^^^^^^^
                          offered     may be dropped, merged or superseded;
                          once        numbered when it is offered

*The mark `sent`* is on disk before the bytes leave. What was offered once is offered again unchanged, before
anything new, and no bound touches it: the collector may hold it although the answer was lost, and would take
a batch without it for another writer's (see `wire.session`).

*Lanes*: what is offered next is chosen when it is offered. Incidents and gaps leave first, then states, then
evidence, then connections: after a day without a line the collector hears what burns and how things stand
now, and the backlog behind it. A state collapses into the newer one of its source while it waits, but for
`exits` that differ: a way out that came and went is told.

*Numbers* ascend without holes within an epoch, one life of the file. When the collector says *fork*,
`renumber` begins a new epoch and everything still held is numbered anew; when it says *gap* (it was restored
from a backup), `rewind` builds the next batch on what it does hold, and a `gap` tells how many reports were
acknowledged since and are gone on both sides.

*Bounds*: first go `sockets` and `heartbeat` and every `asset` or `exits` that a newer one supersedes, oldest
first; then the newest `asset` and `exits`; then `evidence`; then `incident`. Age and a short disk drop only
telemetry. Gaps of one kind and reason are one row that counts, until it is offered.

*A damaged file* is renamed to `outbox-<time>.corrupt`, a `gap` says so, and a new life begins.

All rows are written by one thread; whoever asks while it syncs shares the next sync.

>>> import sqlite3
>>> from datetime import UTC, datetime
>>> from agent.clock import Clock
>>> from agent.outbox import Bounds, Entry, Ledger, create
>>> from wire.messages import Ack
>>> now = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
>>> file = create(sqlite3.connect(":memory:", isolation_level=None), now)
>>> outbox = Ledger(file, Clock(lambda: now, lambda: 60.0, "boot"), Bounds(max_bytes=1300))
>>> b, c = (outbox.accept(Entry("incident", "files", now, {"n": n})) for n in "bc")
>>> batch = outbox.peek()
>>> batch.after, [report.seq for report in batch.reports]
(0, [1, 2])
>>> ids = [outbox.accept(Entry("sockets", "sockets", now, {"n": n})) for n in range(3)]
>>> [report.seq for report in outbox.peek().reports]  # the ack was lost: the same again
[1, 2]
>>> ack = Ack(version=1, epoch=batch.epoch, highest=2, highest_id=c, received_at=now)
>>> outbox.acknowledge(ack)
'dropped'
>>> [(report.seq, report.kind, bytes(report.body)[:37]) for report in outbox.peek().reports]
[(3, 'gap', b'{"kind":"sockets","count":1,"from":"2'), (4, 'sockets', b'{"n":1}'), (5, 'sockets', b'{"n":2}')]
"""

from ..settings import Bounds
from .entry import Entry, Observed
from .file import OutboxError, OutboxFullError, create
from .ledger import Ledger, Status
from .orders import OrderBook
from .queue import Outbox

__all__ = [
    "Bounds",
    "Entry",
    "Ledger",
    "Observed",
    "OrderBook",
    "Outbox",
    "OutboxError",
    "OutboxFullError",
    "Status",
    "create",
]
