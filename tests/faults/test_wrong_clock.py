"""A host whose clock is a day or a year off, without a line for a day: incidents stand where they were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from agent.clock import Clock, moment
from agent.outbox import Bounds, Entry, Outbox
from collector.store import schema
from tests.collector.test_pipeline import NODE, NOON, TAMPERED, Desk, make_desk
from wire import codec
from wire.session import Slice, Take

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

__all__ = ["make_desk"]
DAY, YEAR = timedelta(days=1), timedelta(days=365)
HELD = timedelta(hours=20)


class Host:
    """What its clock says is the time and how wrong it is; a reboot begins the monotonic one anew."""

    def __init__(self, wrong: timedelta) -> None:
        self.wrong = wrong
        self.time = NOON
        self.booted = NOON - timedelta(hours=3)

    def now(self) -> datetime:
        return self.time + self.wrong

    def since_boot(self) -> float:
        return (self.time - self.booted).total_seconds()

    def clock(self, boot: str) -> Clock:
        return Clock(now=self.now, monotonic=self.since_boot, boot_id=boot)


@pytest.mark.parametrize(
    "becomes", ["stays wrong", "is set right when the line is back", "stays over a reboot"]
)
@pytest.mark.parametrize("wrong", [DAY, -DAY, YEAR, -YEAR], ids=["+1d", "-1d", "+1y", "-1y"])
async def test_after_a_day_without_a_line_an_incident_stands_where_it_was_seen(
    make_desk: Callable[[], Awaitable[Desk]], tmp_path: Path, wrong: timedelta, becomes: str
) -> None:
    desk = await make_desk()
    await desk.enrol("district-portal")
    host = Host(wrong)
    folder = tmp_path / "agent"
    folder.mkdir()
    outbox = Outbox(folder, host.clock("boot-1"), Bounds(min_free_bytes=0))
    began = moment(host.now() - timedelta(minutes=2))
    body = TAMPERED | {
        "first_seen": began,
        "last_seen": moment(host.now()),
        "facts": {"homepage_tampered_since": began},
    }
    await outbox.accept(Entry("incident", "files", host.now(), body))
    host.time += HELD
    if becomes == "is set right when the line is back":
        host.wrong = timedelta()
    if becomes == "stays over a reboot":
        outbox.close()
        host.booted = host.time - timedelta(minutes=1)
        outbox = Outbox(folder, host.clock("boot-2"), Bounds(min_free_bytes=0))
    batch = await outbox.peek()
    outbox.close()
    assert batch is not None

    desk.now = host.time
    run = Slice(batch.after, batch.after_id, [r.seq for r in batch.reports], [r.id for r in batch.reports])
    assert isinstance(await desk.log.append(NODE, batch.epoch, run, codec.encode(batch), desk.now), Take)
    await desk.work()

    (incident,) = await desk.rows(schema.incidents)
    occurred = datetime.fromisoformat(incident["times"]["occurred"]).astimezone(UTC)
    assert occurred == NOON - timedelta(minutes=2)
    assert datetime.fromisoformat(incident["times"]["detected"]) == NOON
    assert datetime.fromisoformat(incident["times"]["aware"]) == NOON + HELD
    assert datetime.fromisoformat(incident["facts"]["homepage_tampered_since"]) == occurred
    assert incident["first_seen"] == occurred
    assert incident["last_seen"] == NOON
