"""`kill -9` at every step of collect -> spool -> send -> commit -> ack -> trim: nothing lost, nothing twice.

Run with `-s` it prints the table. Each step is died at in three lives, at its first, second and third time,
while the other side goes on; then both go on to the end.
"""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import Struct

from tests.faults.failpoints import COLLECTOR_STEPS, NODE_STEPS
from tests.faults.way_of_a_report import REPORTS, Place, killed, stop

LIVES = 3
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


class Outcome(Struct, frozen=True):
    """What a step cost: kills, reports said to be accepted, seen by the stages, and counted by incidents."""

    kills: int
    accepted: int
    lost: int
    seen: int
    counted: int
    epochs: int

    @property
    def double(self) -> int:
        return self.counted - self.seen


def outcome(place: Place, kills: int) -> Outcome:
    accepted = set(place.accepted())
    with closing(sqlite3.connect(place.collector / "state.db")) as state:
        seen = {report for (report,) in state.execute("SELECT report FROM seen_reports")}
        (counted,) = state.execute("SELECT sum(count) FROM incidents").fetchone()
        (refused,) = state.execute("SELECT count(*) FROM quarantine").fetchone()
    with closing(sqlite3.connect(place.collector / "events.db")) as log:
        (epochs,) = log.execute("SELECT count(DISTINCT epoch) FROM session").fetchone()
    assert refused == 0
    return Outcome(kills, len(accepted), len(accepted - seen), len(seen), counted, epochs)


def shown(step: str, found: Outcome) -> None:
    sys.stdout.write(
        f"{step:45} kills {found.kills}  accepted {found.accepted:3}  stored {found.seen:3}"
        f"  lost {found.lost}  double {found.double}\n"
    )


def assert_whole(found: Outcome) -> None:
    assert found.kills == LIVES, "the step was come by"
    assert found.accepted >= REPORTS
    assert (found.lost, found.double) == (0, 0)
    assert found.epochs == 1, "no kill looks like a fork"


@pytest.mark.parametrize("step", NODE_STEPS)
def test_a_node_killed_there_loses_nothing_and_doubles_nothing(step: str, tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    collector = place.collector_lives()
    kills = sum(killed(place.node_lives(step, times)) for times in range(1, LIVES + 1))
    assert not killed(place.node_lives())
    stop(collector)

    found = outcome(place, kills)
    shown(step, found)
    assert_whole(found)


@pytest.mark.parametrize("step", COLLECTOR_STEPS)
def test_a_collector_killed_there_loses_nothing_and_doubles_nothing(step: str, tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    node = place.node_lives()
    # One trim takes all that it may: there is no second without more reports.
    times = [1] * LIVES if step.startswith("log trim") else range(1, LIVES + 1)
    kills = sum(killed(place.collector_lives(step, time)) for time in times)
    collector = place.collector_lives()
    assert not killed(node)
    stop(collector)

    found = outcome(place, kills)
    shown(step, found)
    assert_whole(found)


def test_without_a_kill_the_table_reads_the_same(tmp_path: Path) -> None:
    """The measure itself: nothing is lost or double where nobody is killed."""
    place = Place(tmp_path / "place")
    collector = place.collector_lives()
    assert not killed(place.node_lives())
    stop(collector)

    found = outcome(place, 0)
    assert (found.accepted, found.lost, found.double, found.epochs) == (REPORTS, 0, 0, 1)
