import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.clock import Clock
from agent.outbox import Bounds, Entry, Ledger, create
from agent.outbox.bounds import KEPT_ON_A_SHORT_DISK
from agent.outbox.file import open_or_begin_anew
from wire.messages import Ack, Batch, Refusal, ReportKind
from wire.session import Held, Refuse, Repeat, Slice, Take, receive

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
PLENTY = 10**12


class Hand:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW
        self.since_boot = 1000.0

    def pass_by(self, hours: float) -> None:
        self.now += timedelta(hours=hours)
        self.since_boot += hours * 3600

    def clock(self, boot_id: str = "boot-1") -> Clock:
        return Clock(now=lambda: self.now, monotonic=lambda: self.since_boot, boot_id=boot_id)


def fresh(hand: Hand, **bounds: float) -> Ledger:
    db = create(sqlite3.connect(":memory:", isolation_level=None), NOW)
    return Ledger(db, hand.clock(), msgspec.convert(bounds, Bounds))


def seen(kind: ReportKind, source: str = "test", note: str = "") -> Entry:
    return Entry(kind, source, NOW, {"note": note})


def held_kinds(ledger: Ledger) -> list[str]:
    return [row[0] for row in ledger._db.execute("SELECT kind FROM reports ORDER BY seq")]


def gaps(ledger: Ledger) -> list[dict[str, object]]:
    rows = ledger._db.execute("SELECT body FROM reports WHERE kind = 'gap' ORDER BY seq")
    return [msgspec.json.decode(row[0]) for row in rows]


def ack(batch: Batch, upto: int = -1) -> Ack:
    last = batch.reports[upto]
    return Ack(version=1, epoch=batch.epoch, highest=last.seq, highest_id=last.id, received_at=NOW)


def test_a_report_carries_when_it_was_seen_and_the_boot_it_was_seen_in() -> None:
    ledger = fresh(Hand())
    identifier = ledger.accept(seen("exits", "exits"))

    batch = ledger.peek()

    assert batch is not None
    report = batch.reports[0]
    assert (report.id, report.seq, report.kind, report.source) == (identifier, 1, "exits", "exits")
    assert (report.observed_at, report.boot_id, report.monotonic) == (NOW, "boot-1", 1000.0)
    assert bytes(report.body) == b'{"note":""}'


def test_nothing_waits_in_an_empty_outbox() -> None:
    ledger = fresh(Hand())

    assert ledger.peek() is None
    assert ledger.status().oldest_seconds == 0


def test_what_was_offered_once_is_offered_again_unchanged_before_anything_new() -> None:
    ledger = fresh(Hand())
    for note in "ab":
        ledger.accept(seen("sockets", note=note))
    first = ledger.peek()
    ledger.accept(seen("sockets", note="c"))

    second = ledger.peek()

    assert first is not None
    assert second is not None
    assert [report.id for report in second.reports] == [report.id for report in first.reports]


def test_a_batch_is_bounded_in_reports_and_in_bytes_but_never_empty() -> None:
    ledger = fresh(Hand())
    for _ in range(5):
        ledger.accept(seen("incident", note="x" * 1000))

    sizes = [len(batch.reports) for size in (10**6, 3000, 1) if (batch := ledger.peek(4, size))]

    assert sizes == [4, 2, 1]


def test_after_an_acknowledgement_the_next_batch_builds_on_it() -> None:
    ledger = fresh(Hand())
    ids = [ledger.accept(seen("incident")) for _ in range(3)]
    batch = ledger.peek(2)
    assert batch is not None

    assert ledger.acknowledge(ack(batch)) == "dropped"

    following = ledger.peek()
    assert following is not None
    assert (following.after, following.after_id) == (2, ids[1])
    assert [report.seq for report in following.reports] == [3]


def test_an_answer_about_another_epoch_or_about_nothing_new_changes_nothing() -> None:
    ledger = fresh(Hand())
    ledger.accept(seen("incident"))
    batch = ledger.peek()
    assert batch is not None
    other = msgspec.structs.replace(ack(batch), epoch="another")
    nothing = msgspec.structs.replace(ack(batch), highest=0, highest_id="")
    gap = Refusal(version=1, reason="gap", epoch=batch.epoch, highest=7, highest_id="z")

    assert ledger.acknowledge(other) == "nothing"
    assert ledger.acknowledge(nothing) == "nothing"
    assert ledger.refused(gap) == "nothing"
    assert ledger.refused(msgspec.structs.replace(gap, epoch="another", reason="fork")) == "nothing"
    assert held_kinds(ledger) == ["incident"]


def test_an_acknowledged_report_that_was_never_ours_begins_a_new_epoch_and_drops_nothing() -> None:
    ledger = fresh(Hand())
    ids = [ledger.accept(seen("incident")) for _ in range(3)]
    batch = ledger.peek(2)
    assert batch is not None
    ledger.acknowledge(ack(batch, 0))

    stranger = msgspec.structs.replace(ack(batch), highest_id="someone else's")
    assert ledger.acknowledge(stranger) == "renumbered"

    renumbered = ledger.peek()
    assert renumbered is not None
    assert renumbered.epoch != batch.epoch
    assert (renumbered.after, renumbered.after_id) == (0, "")
    assert [(report.seq, report.id) for report in renumbered.reports] == [(1, ids[1]), (2, ids[2])]
    assert ledger.status().forks == 1


def test_a_collector_restored_from_a_backup_is_built_on_where_it_is() -> None:
    ledger = fresh(Hand())
    ids = [ledger.accept(seen("incident")) for _ in range(4)]
    batch = ledger.peek(3)
    assert batch is not None
    ledger.acknowledge(ack(batch))

    refusal = Refusal(version=1, reason="gap", epoch=batch.epoch, highest=1, highest_id=ids[0])
    assert ledger.refused(refusal) == "rewound"

    following = ledger.peek()
    assert following is not None
    assert (following.after, following.after_id) == (1, ids[0])
    assert [(report.seq, report.kind) for report in following.reports] == [(4, "incident"), (5, "gap")]
    (gap,) = gaps(ledger)
    assert (gap["kind"], gap["count"]) == ("any", 2), "what both have let go of is told"
    assert str(gap["why"]).startswith("the collector was restored")


def test_a_full_outbox_drops_the_oldest_telemetry_first_and_tells_how_much_and_of_when() -> None:
    hand = Hand()
    ledger = fresh(hand, max_bytes=6 * 330)
    ledger.accept(seen("incident"))
    for note in "abcd":
        hand.pass_by(1)
        ledger.accept(Entry("sockets", "sockets", hand.now, {"note": note * 40}))
    for _ in range(2):
        ledger.accept(seen("evidence"))

    assert "incident" in held_kinds(ledger)
    assert held_kinds(ledger).count("evidence") == 2
    (gap,) = gaps(ledger)
    assert gap["kind"] == "sockets"
    assert gap["count"] == 4 - held_kinds(ledger).count("sockets")
    assert gap["from"] == "2026-03-02T02:10:00+00:00"
    assert ledger.status().drops == {"sockets": gap["count"]}


def test_the_newest_state_outlives_the_states_it_supersedes() -> None:
    ledger = fresh(Hand(), max_bytes=1800)
    for note in "abcdefgh":
        ledger.accept(seen("exits", "exits", note=note * 40))

    kept = [
        row[0] for row in ledger._db.execute("SELECT body FROM reports WHERE kind = 'exits' ORDER BY seq")
    ]
    assert b"hhhh" in kept[-1]
    assert len(kept) < 8
    assert ledger.status().bytes <= 1800 + 400


def test_incidents_go_only_when_no_telemetry_is_left() -> None:
    ledger = fresh(Hand(), max_bytes=1500)
    ledger.accept(seen("exits", "exits"))
    ledger.accept(seen("heartbeat"))
    for _ in range(9):
        ledger.accept(seen("incident"))

    assert set(held_kinds(ledger)) == {"incident", "gap"}
    assert {gap["kind"] for gap in gaps(ledger)} == {"exits", "heartbeat", "incident"}


def test_what_was_sent_is_never_dropped_because_the_collector_may_hold_it() -> None:
    ledger = fresh(Hand(), max_bytes=1500)
    sent = [ledger.accept(seen("sockets")) for _ in range(3)]
    batch = ledger.peek()
    for _ in range(20):
        ledger.accept(seen("sockets"))

    again = ledger.peek()

    assert batch is not None
    assert again is not None
    assert [report.id for report in again.reports] == sent


def test_telemetry_ages_by_the_monotonic_clock_so_that_a_set_clock_drops_nothing() -> None:
    hand = Hand()
    ledger = fresh(hand, max_age_hours=24)
    ledger.accept(seen("sockets"))
    ledger.accept(seen("incident"))

    hand.now += timedelta(days=3650)
    ledger.tidy(PLENTY)
    assert held_kinds(ledger) == ["sockets", "incident"]

    hand.since_boot += 25 * 3600
    ledger.tidy(PLENTY)
    assert held_kinds(ledger) == ["incident", "gap"]
    assert "max_age_hours" in str(gaps(ledger)[0]["why"])


def test_telemetry_of_an_earlier_boot_ages_by_the_wall_clock() -> None:
    hand = Hand()
    ledger = fresh(hand, max_age_hours=24)
    ledger.accept(seen("sockets"))
    later = Ledger(ledger._db, hand.clock("boot-2"), ledger.bounds)
    hand.now += timedelta(hours=25)
    assert later.status().oldest_seconds == 25 * 3600

    later.tidy(PLENTY)

    assert held_kinds(later) == ["gap"]


def test_a_short_disk_shrinks_the_backlog_of_telemetry_and_of_nothing_else() -> None:
    ledger = fresh(Hand(), min_free_bytes=10 * KEPT_ON_A_SHORT_DISK)
    for _ in range(40):
        ledger.accept(seen("sockets", note="x" * 100_000))
    for _ in range(20):
        ledger.accept(seen("incident", note="x" * 100_000))

    ledger.tidy(free=0)

    assert held_kinds(ledger).count("incident") == 20
    assert held_kinds(ledger).count("sockets") == 0
    assert "min_free_bytes" in str(gaps(ledger)[0]["why"])


def test_a_report_the_collector_cannot_take_is_kept_aside_and_told_as_a_gap() -> None:
    ledger = fresh(Hand())
    identifier = ledger.accept(seen("incident", note="odd"))
    ledger.accept(seen("heartbeat"))
    ledger.peek()

    ledger.set_aside(identifier, "status 400")
    ledger.set_aside("unknown", "status 400")

    assert held_kinds(ledger) == ["heartbeat", "gap"]
    assert gaps(ledger)[0]["kind"] == "incident"
    kept = ledger._db.execute("SELECT id, kind, body FROM refused").fetchall()
    assert kept == [(identifier, "incident", b'{"note":"odd"}')]
    assert ledger.status().refused == 1


def test_a_refused_gap_is_kept_aside_without_another_gap() -> None:
    ledger = fresh(Hand())
    identifier = ledger.accept(seen("gap"))

    ledger.set_aside(identifier, "status 400")

    assert held_kinds(ledger) == []
    assert ledger.status().refused == 1


def test_what_is_kept_aside_is_bounded_and_still_counted() -> None:
    ledger = fresh(Hand())
    for _ in range(1010):
        ledger.set_aside(ledger.accept(seen("gap")), "status 400")

    assert ledger._db.execute("SELECT count(*) FROM refused").fetchone() == (1000,)
    assert ledger.status().refused == 1010


def test_a_damaged_file_is_told_as_a_gap_of_unknown_size() -> None:
    ledger = fresh(Hand())

    ledger.tell_missed("outbox was damaged")

    assert gaps(ledger)[0] | {"from": "", "to": ""} == {
        "kind": "any",
        "count": None,
        "from": "",
        "to": "",
        "why": "outbox was damaged",
    }


def test_the_bytes_it_says_it_holds_are_those_of_its_rows() -> None:
    ledger = fresh(Hand(), max_bytes=3000)
    for number in range(30):
        ledger.accept(seen(("incident", "sockets", "exits")[number % 3], note="x" * number))

    (counted,) = ledger._db.execute("SELECT sum(size) FROM reports").fetchone()
    assert ledger.status().bytes == counted


def test_incidents_leave_before_states_and_states_before_the_backlog() -> None:
    ledger = fresh(Hand())
    for kind in ("sockets", "evidence", "asset", "sockets", "incident", "heartbeat", "incident"):
        ledger.accept(seen(kind))

    batch = ledger.peek(3)
    assert batch is not None
    assert [report.kind for report in batch.reports] == ["incident", "incident", "asset"]
    ledger.acknowledge(ack(batch))
    rest = ledger.peek()

    assert rest is not None
    assert [report.kind for report in rest.reports] == ["heartbeat", "evidence", "sockets", "sockets"]
    assert [report.seq for report in rest.reports] == [4, 5, 6, 7]


def test_an_incident_overtakes_what_waits_but_never_what_was_offered() -> None:
    ledger = fresh(Hand())
    for _ in range(4):
        ledger.accept(seen("sockets"))
    offered = ledger.peek(2)
    ledger.accept(seen("incident"))

    assert offered is not None
    again = ledger.peek()
    assert again is not None
    assert [report.kind for report in again.reports] == ["sockets", "sockets"]
    ledger.acknowledge(ack(again))
    following = ledger.peek()
    assert following is not None
    assert [report.kind for report in following.reports] == ["incident", "sockets", "sockets"]


def test_a_state_collapses_into_the_newer_one_of_its_source_while_it_waits() -> None:
    ledger = fresh(Hand())
    for number in range(5):
        ledger.accept(seen("asset", note=str(number)))
        ledger.accept(seen("heartbeat", note=str(number)))

    batch = ledger.peek()

    assert batch is not None
    assert [(report.kind, msgspec.json.decode(report.body)["note"]) for report in batch.reports] == [
        ("asset", "4"),
        ("heartbeat", "4"),
    ]
    assert (ledger.status().collapsed, ledger.status().drops) == (8, {})


def test_a_way_out_that_came_and_went_is_told_although_it_is_over() -> None:
    ledger = fresh(Hand())
    for routes in (["eth0"], ["eth0"], ["eth0", "ppp0"], ["eth0"]):
        ledger.accept(Entry("exits", "exits", NOW, {"routes": routes, "evidence": [len(routes)]}))

    batch = ledger.peek()

    assert batch is not None
    told = [msgspec.json.decode(report.body)["routes"] for report in batch.reports]
    assert told == [["eth0"], ["eth0", "ppp0"], ["eth0"]]


def test_a_goodbye_is_never_collapsed() -> None:
    ledger = fresh(Hand())
    ledger.accept(Entry("heartbeat", "heartbeat", NOW, {"stopping": True}))
    ledger.accept(Entry("heartbeat", "heartbeat", NOW, {"stopping": False}))

    batch = ledger.peek()

    assert batch is not None
    assert [msgspec.json.decode(report.body)["stopping"] for report in batch.reports] == [True, False]


def test_a_file_of_the_first_format_goes_on_with_the_numbers_it_had_offered(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    db = sqlite3.connect(path, isolation_level=None)
    create(db, NOW)
    ledger = Ledger(db, Hand().clock(), Bounds(min_free_bytes=0))
    offered = [ledger.accept(seen("sockets")) for _ in range(2)]
    waiting = [ledger.accept(seen(kind)) for kind in ("sockets", "incident")]
    db.executescript(
        "DROP INDEX reports_by_number; DROP INDEX reports_by_lane; ALTER TABLE reports DROP COLUMN number;"
        "ALTER TABLE reports DROP COLUMN lane; UPDATE state SET sent = 2; PRAGMA user_version = 1;"
    )
    db.close()

    again, why = open_or_begin_anew(tmp_path, NOW)
    ledger = Ledger(again, Hand().clock(), Bounds(min_free_bytes=0))
    batch = ledger.peek()
    assert batch is not None
    ledger.acknowledge(ack(batch))
    rest = ledger.peek()

    assert why == ""
    assert rest is not None
    assert [(report.seq, report.id) for report in batch.reports] == [(1, offered[0]), (2, offered[1])]
    assert [(report.seq, report.id) for report in rest.reports] == [(3, waiting[1]), (4, waiting[0])]
    again.close()


KINDS: tuple[ReportKind, ...] = ("incident", "evidence", "sockets", "heartbeat", "exits")


class Network(RuleBasedStateMachine):
    """Outboxes that may be clones of one disk, and a collector that may lose its memory, over a bad line."""

    @initialize(may_clone=st.booleans())
    def begin(self, may_clone: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
        self.hand = Hand()
        self.may_clone = may_clone
        self.outboxes = [fresh(self.hand, max_bytes=2500)]
        self.incidents_dropped = [0]
        self.sessions: dict[str, Held] = {}
        self.stored: list[str] = []
        self.backup: tuple[dict[str, Held], list[str]] = ({}, [])
        self.accepted: set[str] = set()
        self.dropped: set[str] = set()
        self.forgotten: set[str] = set()
        self.cloned = False

    def _ids(self, ledger: Ledger) -> set[str]:
        return {row[0] for row in ledger._db.execute("SELECT id FROM reports WHERE kind <> 'gap'")}

    @rule(which=st.integers(0, 1), kind=st.sampled_from(KINDS), length=st.integers(0, 600))
    def accept(self, which: int, kind: ReportKind, length: int) -> None:
        ledger = self.outboxes[which % len(self.outboxes)]
        before, was = self._ids(ledger), ledger.status()
        identifier = ledger.accept(seen(kind, note="x" * length))
        self.accepted.add(identifier)
        gone = (before | {identifier}) - self._ids(ledger)
        self.dropped |= gone
        now = ledger.status()
        drops = sum(now.drops.values()) - sum(was.drops.values())
        assert now.collapsed - was.collapsed in {0, *range(len(gone) + 1)}
        lost = len(gone) - (now.collapsed - was.collapsed)
        assert lost <= drops <= lost + now.drops.get("gap", 0)

    @rule(which=st.integers(0, 1), limit=st.integers(1, 4), answered=st.booleans())
    def send(self, which: int, limit: int, answered: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
        ledger = self.outboxes[which % len(self.outboxes)]
        batch = ledger.peek(limit)
        if batch is None:
            return
        self._answer(ledger, batch, answered=answered)

    def _answer(self, ledger: Ledger, batch: Batch, *, answered: bool) -> None:
        ids = [report.id for report in batch.reports]
        numbers = [report.seq for report in batch.reports]
        held = self.sessions.get(batch.epoch, Held())
        step = receive(held, Slice(batch.after, batch.after_id, numbers, ids))
        if isinstance(step, Take):
            self.sessions[batch.epoch] = step.held
            self.stored += ids[len(ids) - step.fresh :]
        if not answered:
            return
        if isinstance(step, Refuse):
            ledger.refused(
                Refusal(
                    version=1,
                    reason=step.reason,
                    epoch=batch.epoch,
                    highest=step.held.highest,
                    highest_id=step.held.highest_id,
                )
            )
        else:
            assert isinstance(step, Take | Repeat)
            ledger.acknowledge(
                Ack(
                    version=1,
                    epoch=batch.epoch,
                    highest=step.held.highest,
                    highest_id=step.held.highest_id,
                    received_at=NOW,
                )
            )

    @rule()
    def restart(self) -> None:
        self.outboxes = [Ledger(ledger._db, ledger._clock, ledger.bounds) for ledger in self.outboxes]

    @rule(which=st.integers(0, 1))
    def refuse_for_good(self, which: int) -> None:
        ledger = self.outboxes[which % len(self.outboxes)]
        if batch := ledger.peek(1):
            report = batch.reports[0]
            # The collector can't have taken what it can't take.
            if report.id not in self.stored:
                ledger.set_aside(report.id, "status 400")
                self.dropped.add(report.id)

    @precondition(lambda self: self.may_clone and not self.cloned)
    @rule()
    def clone(self) -> None:
        copy = sqlite3.connect(":memory:", isolation_level=None)
        self.outboxes[0]._db.backup(copy)
        self.outboxes.append(Ledger(copy, self.hand.clock(), self.outboxes[0].bounds))
        self.incidents_dropped.append(self.incidents_dropped[0])
        self.cloned = True

    @rule()
    def back_up_the_collector(self) -> None:
        self.backup = (dict(self.sessions), list(self.stored))

    @rule()
    def restore_the_collector(self) -> None:
        sessions, stored = self.backup
        self.forgotten |= set(self.stored) - set(stored)
        self.sessions, self.stored = dict(sessions), list(stored)

    @invariant()
    def incidents_go_last(self) -> None:
        for number, ledger in enumerate(getattr(self, "outboxes", [])):
            held = ledger._db.execute("SELECT count(*) FROM reports WHERE rank <= 2 AND number IS NULL")
            if (dropped := ledger.status().drops.get("incident", 0)) > self.incidents_dropped[number]:
                self.incidents_dropped[number] = dropped
                assert held.fetchone()[0] == 0

    def teardown(self) -> None:
        if not hasattr(self, "outboxes"):
            return
        for ledger in self.outboxes:
            for _ in range(1000):
                if (batch := ledger.peek()) is None:
                    break
                self._answer(ledger, batch, answered=True)
            assert ledger.peek() is None
        stored = set(self.stored)
        assert self.accepted - stored - self.dropped - self.forgotten == set()
        if len(self.stored) != len(stored):
            assert sum(ledger.status().forks for ledger in self.outboxes) > 0
        if not self.cloned:
            assert [ledger.status().forks for ledger in self.outboxes] == [0]


Network.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestNetwork = pytest.mark.filterwarnings("default::ResourceWarning")(Network.TestCase)
