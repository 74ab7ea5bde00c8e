"""What the duty office owes and says, told a second time in plain Python: the oracle of the state machine.

It knows no database, no regime file and no code of the product. It is told what happens and answers which
alarms must have sounded, each how often, and how every clock stands:

    report      aware + 1 h, the unit's own target, at every level
    first       aware + 4 h, from level III on
    summary     handled + 30 days, from level III on
    supplement  once a first report left items open; no time

A county's home page that shows illegal content for half an hour makes it level III: time alone makes it so,
and whoever looks next after that moment sees it.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
QUARTER = timedelta(minutes=15)
PROGRESS = timedelta(minutes=40)
TAMPERED = timedelta(minutes=30)
GRAVITY = {"IV": 1, "III": 2, "II": 3}
# The policy the machine runs with: who is said what, how long after the beginning.
CHAINS = {
    "IV": [("duty", 0), ("leader", 10), ("superior", 30)],
    "II": [("duty", 0), ("leader", 0), ("superior", 5)],
}
NEEDED = {"II": 2}
LISTENERS = {
    "half": ("duty",),
    "four_fifths": ("duty", "leader"),
    "due": ("duty", "leader", "superior"),
    "overdue": ("duty", "leader", "superior"),
    "target": ("duty", "leader"),
}


@dataclass
class Filing:
    at: datetime
    arrived: bool
    complete: bool


@dataclass
class Watch:
    """One clock."""

    law: bool
    start: datetime | None = None
    end: datetime | None = None
    state: str = "not_yet"
    doubted: bool = False
    filing: Filing | None = None
    pending: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return self.state in {"met", "met_late"}

    def arm(self, now: datetime) -> None:
        """Of the moments that are past only the last is worth a word."""
        self.pending = []
        if self.start is None or self.end is None:
            return
        length = self.end - self.start
        moments = [(self.start + length / 2, "half"), (self.start + length * 4 / 5, "four_fifths")]
        moments = [*moments, (self.end, "due" if self.law else "target")] if length else [(self.end, "due")]
        past = [moment for moment in moments if moment[0] <= now]
        self.pending = past[-1:] + [moment for moment in moments if moment[0] > now]

    def sound(self, now: datetime, jumps: list[tuple[datetime, datetime]]) -> tuple[datetime, str] | None:
        """Say the latest of what is due; once it is past due, say so again every quarter of an hour."""
        due = [moment for moment in self.pending if moment[0] <= now]
        if not due:
            return None
        said = max(due)
        self.pending = [moment for moment in self.pending if moment[0] > now]
        if self.law and self.end is not None and said[1].startswith(("due", "overdue")):
            jumped = self.doubted or any(began < self.end <= ended for began, ended in jumps)
            self.doubted = self.state == "open" and jumped
            self.state = "open" if self.doubted else "overdue"
            nth = (now - self.end) // QUARTER + 1
            self.pending = [(self.end + nth * QUARTER, f"overdue_{nth}")]
        return said


@dataclass
class Chain:
    step: int
    at: datetime


@dataclass
class Case:
    """One incident."""

    aware: datetime
    opened_at: datetime
    declared: str | None = None
    since: datetime | None = None
    lasted: int = 0
    occurred: datetime | None = None
    grows_at: datetime | None = None
    level: str = "IV"
    state: str = "open"
    handled: datetime | None = None
    chain: Chain | None = None
    lapse: tuple[datetime, int] | None = None
    deed: datetime | None = None
    taken_by: set[str] = field(default_factory=set)
    clocks: dict[str, Watch] = field(default_factory=dict)
    sounded: Counter[tuple[str, str, datetime]] = field(default_factory=Counter)
    told: Counter[tuple[str, str]] = field(default_factory=Counter)

    # --- what people and agents do ---------------------------------------------------------------------

    def report(
        self, received: datetime, declared: str | None, now: datetime, since: datetime | None = None
    ) -> None:
        before = (self.aware, self.occurred, self.declared, self.since)
        self.aware = min(self.aware, received)
        self.occurred = min(self.occurred or received, received)
        if declared and GRAVITY[declared] > GRAVITY.get(self.declared or "", 0):
            self.declared = declared
        if since is not None:
            self.since = min(self.since or since, since)
        burns_again = self.state == "handled"
        if burns_again:
            self.state, self.taken_by = "open", set()
        if (
            not burns_again
            and self.clocks
            and before
            == (
                self.aware,
                self.occurred,
                self.declared,
                self.since,
            )
        ):
            return  # it only counts
        self.settle(now)
        if burns_again and self.chain is None:
            self.begin(now)

    def correct(self, now: datetime, *, declared: str | None, aware: datetime, mended: bool = False) -> None:
        self.declared, self.aware = declared, aware
        if mended:
            self.since, self.lasted = None, 0
        self.did(now)
        self.settle(now, person=True)

    def acknowledge(self, who: str, now: datetime) -> None:
        self.taken_by.add(who)
        self.did(now)
        if len(self.taken_by) >= NEEDED.get(self.level, 1):
            self.state = "acknowledged"
            self.lapse = (now + PROGRESS, self.chain.step if self.chain else 0)
            self.chain = None
        self.settle(now)

    def move(self, state: str, now: datetime) -> None:
        self.state = state
        self.chain = self.lapse = None
        if state in {"handled", "closed"} and self.handled is None:
            self.handled = now
        if state in {"handled", "closed"} and self.since is not None:
            self.lasted = max(self.lasted, (now - self.since) // MINUTE, 0)
            self.since = None
        self.did(now)
        self.settle(now)

    def file(self, name: str, filing: Filing, now: datetime) -> None:
        self.clocks[name].filing = filing
        self.did(now)
        self.settle(now)

    def arrive(self, name: str, now: datetime) -> None:
        filing = self.clocks[name].filing
        assert filing is not None
        filing.arrived = True
        self.did(now)
        self.settle(now)

    def confirm_missed(self, name: str, now: datetime) -> None:
        clock = self.clocks[name]
        clock.state, clock.doubted = "overdue", False
        self.did(now)

    def did(self, now: datetime) -> None:
        self.deed = max(now, self.deed or now)

    # --- what follows ----------------------------------------------------------------------------------

    def settle(self, now: datetime, *, person: bool = False) -> None:
        """Let level and clocks follow the facts; only a person's word makes one later, or takes it away."""
        answer = self.answer(now)
        old, self.level = self.level, answer if person else max(self.level, answer, key=GRAVITY.__getitem__)
        if GRAVITY[self.level] > GRAVITY[old] or (self.chain is None and not self.clocks):
            self.begin(now)
        owed = self.owed(answer, now)
        for name, (start, end, law) in owed.items():
            self.follow(name, start, end, law=law, person=person, now=now)
        self.grows_at = self.grows(answer, now)
        for name in self.clocks.keys() - owed.keys():
            clock = self.clocks[name]
            if person and not clock.done:
                clock.state, clock.pending, clock.doubted = "withdrawn", [], False

    def answer(self, now: datetime) -> str:
        shown = now - self.since if self.since is not None and self.since <= now else timedelta(0)
        tampered = "III" if max(shown, self.lasted * MINUTE) >= TAMPERED else "IV"
        return max(self.declared or "IV", tampered, key=GRAVITY.__getitem__)

    def grows(self, answer: str, now: datetime) -> datetime | None:
        """When time makes it graver; a beginning that a clock ahead of ours told is waited for first."""
        if self.since is None:
            return None
        if self.since > now:
            return self.since
        grave = GRAVITY[answer] >= GRAVITY["III"]
        return None if grave or self.since + TAMPERED <= now else self.since + TAMPERED

    def owed(self, level: str, now: datetime) -> dict[str, tuple[datetime | None, datetime | None, bool]]:
        owed: dict[str, tuple[datetime | None, datetime | None, bool]] = {
            "report": (self.aware, self.aware + timedelta(hours=1), False)
        }
        if GRAVITY[level] < GRAVITY["III"]:
            return owed
        owed["first"] = (self.aware, self.aware + timedelta(hours=4), True)
        handled = self.handled if self.handled and self.handled <= now else None
        owed["summary"] = (handled, handled and handled + timedelta(days=30), True)
        first = self.clocks["first"].filing if "first" in self.clocks else None
        left_open = first is not None and not first.complete
        owed["supplement"] = (first.at if first and left_open else None, None, False)
        return owed

    def follow(
        self,
        name: str,
        start: datetime | None,
        end: datetime | None,
        *,
        law: bool,
        person: bool,
        now: datetime,
    ) -> None:
        clock = self.clocks.setdefault(name, Watch(law))
        later = clock.end is not None and (end is None or end > clock.end)
        if later and not person and not clock.done and clock.state != "withdrawn":
            start, end = clock.start, clock.end
        moved = end != clock.end
        clock.start, clock.end = start, end
        if clock.done and not moved:
            return
        if clock.filing is not None and clock.filing.arrived:
            in_time = not law or end is None or min(clock.filing.at, now) <= end
            clock.state, clock.pending, clock.doubted = "met" if in_time else "met_late", [], False
        elif start is None:
            clock.state, clock.pending = "not_yet", []
        elif moved or clock.state in {"not_yet", "withdrawn"}:
            clock.state, clock.doubted = "open" if law else "no_number", False
            clock.arm(now)

    def begin(self, now: datetime) -> None:
        self.chain = Chain(0, now)

    # --- what time does --------------------------------------------------------------------------------

    def tick(self, now: datetime, jumps: list[tuple[datetime, datetime]]) -> None:
        if self.grows_at is not None and self.grows_at <= now:
            self.settle(now)
        while True:  # in the order of their times
            step = self.chain.at if self.chain is not None and self.chain.at <= now else None
            lapse = self.lapse[0] if self.lapse is not None and self.lapse[0] <= now else None
            if step is not None and (lapse is None or step <= lapse):
                self.say_step(now)
            elif lapse is not None:
                self.look_for_progress(now)
            else:
                break
        for name, clock in self.clocks.items():
            if (said := clock.sound(now, jumps)) is not None:
                at, kind = said
                self.sounded[name, kind, at] += 1
                for role in LISTENERS[kind.split("_")[0] if kind.startswith("overdue") else kind]:
                    self.told[kind, role] += 1

    def look_for_progress(self, now: datetime) -> None:
        assert self.lapse is not None
        step, self.lapse = self.lapse[1], None
        if self.state != "acknowledged":
            return
        if self.deed is not None and self.deed + PROGRESS > now:
            self.lapse = (self.deed + PROGRESS, step)
            return
        self.state, self.taken_by = "open", set()
        self.chain = Chain(step if step < len(self.steps) else 0, now)

    def say_step(self, now: datetime) -> None:
        """A step that was late puts off those behind it by as much."""
        assert self.chain is not None
        step, at = self.chain.step, self.chain.at
        if step >= len(self.steps):
            self.sounded["", f"escalate_{step}", at] += 1
            self.chain = None
            return
        role, after = self.steps[step]
        self.sounded["", f"escalate_{step}", at] += 1
        self.told[f"escalate_{step}", role] += 1
        if step + 1 == len(self.steps) or self.state != "open":
            self.chain = None
            return
        began = at - after * MINUTE
        self.chain = Chain(step + 1, max(began + self.steps[step + 1][1] * MINUTE, now))

    @property
    def steps(self) -> list[tuple[str, int]]:
        return CHAINS.get(self.level, CHAINS["IV"])
