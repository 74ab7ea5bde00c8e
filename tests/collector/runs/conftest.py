"""A duty office that works by plans: real store, casework and actions; only the clock is made."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from collector.actions import build
from collector.actions.port import Surroundings
from collector.plans import Plan, examine
from collector.runs.people import complete_step
from collector.runs.runner import Runner
from collector.store import filings
from collector.store.clocks import get_clock
from collector.store.engine import Store
from collector.store.runs import Run, StepRow, get_run, steps_of_run
from collector.store.schema import journal, notices, orders, runs
from wire.messages import VERSION, Filing, Outcome, Receipt

if TYPE_CHECKING:
    from tests.conftest import Office

START = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
PLAYBOOKS = Path(__file__).parents[3] / "playbooks"


def read(text: str, name: str = "plan.yaml") -> Plan:
    """A plan that may run, or the mistakes why not."""
    examined = examine(text, name)
    assert examined.plan is not None, [str(finding) for finding in examined.findings]
    return examined.plan


class PlanRoom:
    """One county's runner with its store, and short ways to look at what it did."""

    def __init__(self, store: Store, office: "Office") -> None:
        self.store = store
        self.office = office
        self.now = START
        self.plans: dict[str, Plan] = {
            path.stem: read(path.read_text(), str(path)) for path in PLAYBOOKS.glob("*.yaml")
        }

    def put(self, text: str) -> Plan:
        """Put a plan in force; it is the only one for its class."""
        plan = read(text)
        self.plans = {
            name: each for name, each in self.plans.items() if not set(each.classes) & set(plan.classes)
        } | {plan.id: plan}
        return plan

    def runner(self) -> Runner:
        """A runner of this room; several are several processes as far as the store can tell."""
        surroundings = Surroundings(
            directory=lambda: self.office.registry,
            file=self._file,
            http_allow=lambda: ["http://127.0.0.1:9000/hooks"],
        )
        role = {name: asset.role for name, asset in self.office.registry.assets.items()}
        return Runner(
            self.store, lambda: self.plans, build(surroundings), lambda: self.now, asset_role=role.get
        )

    async def work(self, after: timedelta = timedelta(0)) -> int:
        """One pass of a runner that has seen nothing before, as after a restart."""
        self.now += after
        return await self.runner().work()

    async def open(self, **changes: Any) -> str:  # noqa: ANN401 - the fields of a finding
        """An incident is opened; returns its id."""
        finding = self.office.finding(self.now, **changes)
        async with self.store.write() as conn:
            return await self.office.casework.open(conn, finding, self.now, self.now)

    async def run_of(self, incident: str) -> Run:
        """The newest run of an incident."""
        async with self.store.read() as conn:
            query = sa.select(runs.c.id).where(runs.c.incident == incident).order_by(runs.c.id.desc())
            run = await get_run(conn, (await conn.execute(query)).scalars().first() or "")
        assert run is not None
        return run

    async def steps(self, incident: str) -> dict[str, StepRow]:
        """The newest visit of every step of an incident's run."""
        run = await self.run_of(incident)
        async with self.store.read() as conn:
            return {row.step: row for row in await steps_of_run(conn, run.id)}

    async def states(self, incident: str) -> dict[str, str]:
        """What became of every step."""
        return {name: row.state for name, row in (await self.steps(incident)).items()}

    async def complete(self, incident: str, step: str, **out: Any) -> None:  # noqa: ANN401 - a form's values
        """A person does a step."""
        run = await self.run_of(incident)
        async with self.store.write() as conn:
            await complete_step(conn, run.id, step, "person:wang", out, self.now)

    async def rows(self, table: sa.Table) -> list[Mapping[str, Any]]:
        """Every row of a table."""
        async with self.store.read() as conn:
            return [dict(row) for row in (await conn.execute(sa.select(table))).mappings()]

    async def keys(self, table: sa.Table = notices) -> list[str]:
        """Every effect's key."""
        return sorted(str(row["key"]) for row in await self.rows(table))

    async def told(self, action: str) -> list[dict[str, Any]]:
        """The details of the journal's entries of one action, in their order."""
        found = [row for row in await self.rows(journal) if row["action"] == action]
        return [dict(row["detail"]) for row in sorted(found, key=lambda row: row["id"])]

    async def answer_order(self, state: str = "done") -> None:
        """The node answers its oldest open order."""
        from collector.store.orders import end_order  # noqa: PLC0415 - beside its use

        order = next(row for row in await self.rows(orders) if row["state"] == "open")
        outcome = Outcome(version=VERSION, order=order["id"], state=state, at=self.now, detail={"files": 4})  # type: ignore[arg-type]
        async with self.store.write() as conn:
            assert await end_order(conn, outcome, order["node"], self.now)

    async def answer_filing(self) -> None:
        """The authority's receipt for the oldest filing comes back."""
        async with self.store.write() as conn:
            claimed = await filings.claim_filings(
                conn, owner="test", now=self.now, lease=timedelta(minutes=1), limit=1
            )
            receipt = Receipt(
                version=VERSION,
                key=claimed[0].key,
                number=1,
                received_at=self.now,
                sha256="0" * 64,
                issuer="city",
            )
            await filings.record_receipt(conn, claimed[0], receipt, filed_at=self.now, now=self.now)
            await self.office.casework.record_filing(
                conn, claimed[0].clock, claimed[0].id, self.now, self.now, True, "system", self.now
            )

    async def _file(
        self,
        conn: AsyncConnection,
        clock_id: str,
        actor: str,
        now: datetime,
        *,
        complete: bool,
        content: Mapping[str, Any],
    ) -> str:
        clock = await get_clock(conn, clock_id)
        assert clock is not None
        message = Filing(
            version=VERSION,
            key=f"{clock.incident}/{clock.obligation}",
            incident_id=clock.incident,
            unit="county",
            obligation=clock.obligation,
            recipient=clock.recipient,
            level=None,
            filed_at=now,
            due_at=clock.due_at,
            complete=complete,
            incident={},
            content=dict(content),
        )
        filing, _ = await filings.add_filing(
            conn, message=message, clock=clock_id, way="upstream", actor=actor, now=now
        )
        return filing


@pytest.fixture
async def room(state: Store, office: "Office") -> PlanRoom:
    """A county that works by plans, on SQLite and on PostgreSQL."""
    return PlanRoom(state, office)


@pytest.fixture
async def small_room(sqlite_state: Store, office: "Office") -> PlanRoom:
    """The same on SQLite alone, for what does not depend on the database."""
    return PlanRoom(sqlite_state, office)
