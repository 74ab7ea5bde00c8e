import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.budget import Rest
from agent.clock import Clock
from agent.outbox import Bounds, Entry, Outbox, OutboxFullError
from agent.outbox.rests import TABLE, Rests

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


class Host:
    """A host's clocks, set by hand, and its table of rests."""

    def __init__(self) -> None:
        self.now, self.seconds = NOW, 60.0
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        self.db.execute(TABLE)

    def booted(self, boot: str = "one") -> Rests:
        return Rests(self.db, Clock(lambda: self.now, lambda: self.seconds, boot))

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


def test_a_rest_is_left_until_it_is_over_and_the_last_one_counts() -> None:
    host = Host()
    rests = host.booted()
    rests.note(Rest("exits", 15.0))
    rests.note(Rest("rules/process", 60.0))
    host.pass_by(10)
    assert rests.left() == {"exits": 5.0, "rules/process": 50.0}
    rests.note(Rest("exits", 15.0))

    host.pass_by(15)
    assert rests.left() == {"rules/process": 35.0}
    assert host.db.execute("SELECT count(*) FROM rests").fetchone() == (1,)


def test_a_clock_that_is_set_shortens_and_lengthens_no_rest_within_a_boot() -> None:
    host = Host()
    host.booted().note(Rest("exits", 300.0))
    host.pass_by(100)
    host.now += timedelta(days=400)

    assert host.booted().left() == {"exits": 200.0}


def test_after_a_reboot_the_wall_clock_counts_and_no_rest_is_longer_than_it_was() -> None:
    host = Host()
    host.booted().note(Rest("exits", 300.0))
    host.pass_by(100)
    host.seconds = 5.0
    assert host.booted("two").left() == {"exits": 200.0}

    host.now -= timedelta(days=400)
    assert host.booted("two").left() == {"exits": 300.0}


async def test_report_and_rest_are_on_disk_together_or_not_at_all(tmp_path: Path, clock: Clock) -> None:
    outbox = Outbox(tmp_path, clock, Bounds(min_free_bytes=0))
    (pages,) = outbox._db.execute("PRAGMA page_count").fetchone()
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")
    large = Entry("gap", "exits", NOW, {"why": "x" * 100_000}, Rest("exits", 15.0))

    with pytest.raises(OutboxFullError):
        await outbox.accept(large)
    assert await outbox.rests() == {}

    outbox._db.execute("PRAGMA max_page_count = 1000000")
    await outbox.accept(large)
    assert list(await outbox.rests()) == ["exits"]
    outbox.close()
