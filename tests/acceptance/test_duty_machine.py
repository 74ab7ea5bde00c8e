"""Incidents, clocks, notices and filings under whatever may happen, held against a plain oracle."""

import asyncio
import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from collector.casework import Casework
from collector.duty import DutyClock
from collector.duty.clock import JUMP_FROM
from collector.escalation import read_policy
from collector.incident import check_move
from collector.store import clocks, journal, notices
from collector.store.engine import Store
from collector.store.filings import add_filing, filing_of, record_proof
from collector.store.incidents import get_incident
from collector.trust.journal_chain import verify
from tests.acceptance.duty_oracle import CHAINS, MINUTE, NEEDED, Case, Filing
from tests.conftest import Office
from tests.databases import lay_state
from wire.messages import VERSION
from wire.messages import Filing as Message

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
NAMES = {
    "cn-cac-2025/first": "first",
    "cn-cac-2025/summary": "summary",
    "cn-cac-2025/supplement": "supplement",
    "cn-informatization/report": "report",
}
PEOPLE = {"wang": "duty", "zhao": "leader", "li": "superior"}
STATES = ["open", "acknowledged", "contained", "handled", "closed"]
LEVELS = st.sampled_from([None, "III", "II"])
WHICH = st.integers(0, 5)


@lru_cache
def the_office() -> Office:
    """The register and the regimes, read once."""
    return Office()


def policy_text() -> str:
    def steps(level: str) -> str:
        return ", ".join(f"{{to: {to}, after: {after}m}}" for to, after in CHAINS[level])

    return (
        f"id: machine\nchains: {{default: [{steps('IV')}], II: [{steps('II')}]}}\n"
        f"acknowledgements: {{default: 1, II: {NEEDED['II']}}}\nprogress: {{default: 40m}}\n"
    )


class Process:
    """A duty clock, and what the oracle knows of its sense of time."""

    def __init__(self, machine: "DutyOffice", store: Store) -> None:
        self.machine = machine
        self.clock = DutyClock(
            store, machine.casework, wall=lambda: machine.wall, steady=lambda: machine.steady
        )
        self.seen: tuple[datetime, float] | None = None
        self.jumps: list[tuple[datetime, datetime]] = []

    def time(self) -> datetime:
        """Never back behind what was seen, by this process or by those before it."""
        machine = self.machine
        if self.seen is None:
            now = max(machine.wall, machine.mark)
        else:
            expected = self.seen[0] + timedelta(seconds=machine.steady - self.seen[1])
            now = max(machine.wall, expected)
            if now - expected >= JUMP_FROM:
                self.jumps.append((expected, now))
        self.seen = (now, machine.steady)
        machine.mark = max(machine.mark, now)
        return now


class DutyOffice(RuleBasedStateMachine):
    """Two processes on one database, people and agents; `cases` is what the oracle makes of it."""

    def __init__(self) -> None:
        super().__init__()
        office, policy = the_office(), read_policy(policy_text(), "machine.yaml")
        self.office = office
        self.casework = Casework(
            registry=lambda: office.registry, regimes=lambda: office.regimes, policy=lambda: policy
        )
        self.wall, self.steady = NINE, 0.0
        self.mark = datetime(2000, 1, 1, tzinfo=UTC)  # nobody has run yet
        self.cases: dict[str, Case] = {}
        self.live: dict[int, str] = {}

    @initialize()
    def start(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="fengsui-machine-"))
        url = lay_state(self.folder / "state.db")
        self.stores = [self.do(Store.open(url)) for _ in range(2)]
        self.restart()

    def teardown(self) -> None:
        if hasattr(self, "stores"):
            for store in self.stores:
                self.do(store.close())
            self.loop.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def do(self, work: Any) -> Any:  # noqa: ANN401 - any coroutine
        return self.loop.run_until_complete(work)

    def write(self, name: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - any method of casework
        method = getattr(self.casework, name)
        return self.do(self.stores[0].run(lambda connection: method(connection, *args, **options)))

    def pick(self, which: int) -> tuple[str, Case]:
        keys = list(self.cases)  # in the order they were opened: ids are random
        key = keys[which % len(keys)]
        return key, self.cases[key]

    def restart(self) -> None:
        self.processes = [Process(self, store) for store in self.stores]

    def tick(self, first: int, *, together: bool = False) -> None:
        """Both processes look what is due; the second finds nothing that the first has fired.

        Together they look at once, each by its own connection, and what one does the other does not do again.
        """
        processes = (self.processes[first], self.processes[1 - first])
        if together:
            self.do(asyncio.wait_for(self._tick_together(), 60))
        for process in processes:
            now = process.time()
            if not together:
                self.do(process.clock.tick())
            assert process.clock.last_tick == now
            for case in self.cases.values():
                case.tick(now, process.jumps)

    async def _tick_together(self) -> None:
        await asyncio.gather(*(process.clock.tick() for process in self.processes))

    # --- agents and people -----------------------------------------------------------------------------

    @rule(
        place=st.integers(0, 1),
        declared=LEVELS,
        ago=st.integers(0, 30),
        shown=st.none() | st.integers(-20, 45),
    )
    def agents_report(self, place: int, declared: str | None, ago: int, shown: int | None) -> None:
        received = self.wall - ago * MINUTE
        since = None if shown is None else self.wall - shown * MINUTE  # an agent's clock may be ahead
        facts: dict[str, object] = {"reposts": 1}
        facts |= {"declared_level": declared} if declared else {}
        facts |= {"homepage_tampered_since": since.isoformat()} if since else {}
        finding = self.office.finding(received, fingerprint=f"f{place}", facts=facts)
        key = self.write("open", finding, received, self.wall)
        if place in self.live:
            assert key == self.live[place]
        case = self.cases.setdefault(key, Case(aware=received, opened_at=self.wall))
        self.live[place] = key
        case.report(received, declared, self.wall, since)

    @precondition(lambda self: self.cases)
    @rule(which=WHICH, declared=LEVELS, back=st.none() | st.integers(0, 360), mended=st.booleans())
    def a_person_corrects(self, which: int, declared: str | None, back: int | None, mended: bool) -> None:  # noqa: FBT001 - drawn
        key, case = self.pick(which)
        gone = {"homepage_tampered_since": None, "homepage_tampered_minutes": None} if mended else {}
        aware = min(case.aware, self.wall) if back is None else self.wall - back * MINUTE
        self.write(
            "correct",
            key,
            self.wall,
            actor="user:wang",
            reason="looked again",
            facts={"declared_level": declared, **gone},
            times={"aware": aware},
        )
        case.correct(self.wall, declared=declared, aware=aware, mended=mended)

    @precondition(lambda self: self.cases)
    @rule(which=WHICH, who=st.sampled_from(["wang", "zhao"]))
    def a_person_acknowledges(self, which: int, who: str) -> None:
        key, case = self.pick(which)
        if case.state == "open" and who not in case.taken_by:
            self.write("acknowledge", key, f"user:{who}", self.wall)
            case.acknowledge(who, self.wall)

    @precondition(lambda self: self.cases)
    @rule(which=WHICH, to=st.sampled_from(STATES[2:]))
    def a_person_moves_it(self, which: int, to: str) -> None:
        key, case = self.pick(which)
        if STATES.index(to) > STATES.index(case.state):
            check_move(case.state, to)  # type: ignore[arg-type] - the oracle's states are texts
            self.write("move", key, to, "user:wang", self.wall)
            case.move(to, self.wall)
            if to == "closed":
                self.live = {place: one for place, one in self.live.items() if one != key}

    @precondition(lambda self: self.cases)
    @rule(which=WHICH, name=st.sampled_from([*NAMES.values()]), arrived=st.booleans(), complete=st.booleans())
    def a_person_files(self, which: int, name: str, arrived: bool, complete: bool) -> None:  # noqa: FBT001 - drawn
        key, case = self.pick(which)
        clock = case.clocks.get(name)
        if clock is None or clock.state in {"not_yet", "withdrawn"} or clock.filing is not None:
            return
        self.do(self._file(key, name, arrived=arrived, complete=complete))
        case.file(name, Filing(self.wall, arrived, complete), self.wall)

    @precondition(lambda self: self.cases)
    @rule(which=WHICH, name=st.sampled_from([*NAMES.values()]))
    def a_receipt_comes(self, which: int, name: str) -> None:
        key, case = self.pick(which)
        clock = case.clocks.get(name)
        if clock is None or clock.filing is None or clock.filing.arrived or clock.state == "withdrawn":
            return
        self.do(self._file(key, name, arrived=True, complete=clock.filing.complete, at=clock.filing.at))
        case.arrive(name, self.wall)

    @precondition(lambda self: any(c.doubted for case in self.cases.values() for c in case.clocks.values()))
    @rule()
    def a_person_confirms_what_is_in_doubt(self) -> None:
        for key, case in self.cases.items():
            for name, clock in case.clocks.items():
                if clock.doubted:
                    held = self.do(self._clocks(key))[name]
                    self.write("confirm", key, "user:zhao", self.wall, clock=held.id, reason="it was")
                    case.confirm_missed(name, self.wall)

    async def _file(
        self, key: str, name: str, *, arrived: bool, complete: bool, at: datetime | None = None
    ) -> None:
        held = (await self._clocks(key))[name]
        filed_at = at or self.wall
        message = Message(
            version=VERSION,
            key=f"{key}/{name}",
            incident_id=key,
            unit="county",
            obligation=held.obligation,
            recipient=held.recipient,
            level=None,
            filed_at=filed_at,
            due_at=held.due_at,
            complete=complete,
            incident={},
            content={},
        )
        receipt_at = self.wall if arrived else None
        async with self.stores[0].write() as connection:
            options = {"actor": "user:wang", "now": self.wall}
            await add_filing(connection, message=message, clock=held.id, way="person", **options)  # type: ignore[arg-type]
            filing = await filing_of(connection, message.key)
            assert filing is not None
            assert await record_proof(
                connection,
                filing,
                filed_at=filed_at,
                receipt_at=receipt_at,
                proof={"number": "1"},
                actor="user:wang",
                now=self.wall,
            )
            await self.casework.record_filing(
                connection, held.id, filing.id, filed_at, receipt_at, complete, "user:wang", self.wall
            )

    # --- time ------------------------------------------------------------------------------------------

    @rule(minutes=st.integers(1, 90), first=st.integers(0, 1), together=st.booleans())
    def time_passes(self, minutes: int, first: int, together: bool) -> None:  # noqa: FBT001 - drawn
        self.wall += minutes * MINUTE
        self.steady += minutes * 60
        self.tick(first, together=together)

    @rule(length=st.sampled_from([3, 50, 600, 20_000]), first=st.integers(0, 1))
    def nobody_runs_for_a_while(self, length: int, first: int) -> None:
        self.wall += length * MINUTE
        self.steady += length * 60
        self.restart()
        self.tick(first)

    @rule(minutes=st.integers(1, 200))
    def the_host_clock_is_set_back(self, minutes: int) -> None:
        self.wall -= minutes * MINUTE
        self.wall += timedelta(seconds=10)  # so often at least the mark of the latest moment is written
        self.steady += 10
        self.tick(0)

    @rule(minutes=st.integers(10, 600), tick=st.booleans())
    def the_host_clock_jumps(self, minutes: int, tick: bool) -> None:  # noqa: FBT001 - drawn
        self.wall += minutes * MINUTE
        if tick:
            self.tick(1)

    # --- what must be true -----------------------------------------------------------------------------

    @invariant()
    def what_is_stored_is_what_the_oracle_says(self) -> None:
        for key, case in self.cases.items():
            self.do(self._compare(key, case))

    async def _clocks(self, key: str) -> dict[str, clocks.Clock]:
        async with self.stores[1].read() as connection:
            found = await clocks.clocks_of(connection, [key])
        return {NAMES[clock.obligation]: clock for clock in found if clock.obligation in NAMES}

    async def _compare(self, key: str, case: Case) -> None:
        async with self.stores[1].read() as connection:
            incident = await get_incident(connection, key)
            rows = await journal.of_incident(connection, key)
            queued = await notices.notices_of(connection, key)
        assert incident is not None
        assert (incident.state, incident.level) == (case.state, case.level)
        held = await self._clocks(key)
        assert {
            name: (c.state, c.due_at or c.target_at, c.doubted_at is not None) for name, c in held.items()
        } == {name: (c.state, c.end, c.doubted) for name, c in case.clocks.items()}
        sounded = Counter(
            (NAMES.get(row.detail.get("obligation", ""), ""), row.detail["kind"], row.detail["at"])
            for row in rows
            if row.action == "clock.fired"
        )
        assert sounded == Counter(
            {(name, kind, _text(at)): count for (name, kind, at), count in case.sounded.items()}
        )
        assert Counter((one.payload["kind"], PEOPLE[one.person or ""]) for one in queued) == case.told

    @precondition(lambda self: self.cases)
    @rule()
    def the_journal_holds(self) -> None:
        async def read() -> list[journal.Row]:
            async with self.stores[1].read() as connection:
                return [row async for row in journal.read_chains(connection)]

        assert verify(self.do(read())) == []


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


TestDutyOffice = DutyOffice.TestCase
TestDutyOffice.settings = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    # Each step is a few transactions: shrinking would take minutes. The steps of a failure are printed whole.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
