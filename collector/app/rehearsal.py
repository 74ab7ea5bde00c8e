"""A drill on a simulated clock: the real rules over a scratch database, with made-up people and no effects.

    script ──> director ──> casework ──> clocks, alarms, notices ┐
                                    └──> plan runs ──> steps     ├─ rows of a database that is thrown away
    people of the script answer, contain, handle <───────────────┘
    time stands still while anything can move, then jumps to the next moment at which something would

Nothing is sent: no flow that sends is built. A rehearsal tries a script and a plan; since no person took part
it proves no drill.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from .. import actions
from ..actions.port import Surroundings
from ..authority import Upstream
from ..casework import Casework
from ..documents import Documents
from ..drills import Script, Sheet
from ..drills.script import absences
from ..duty.clock import DutyClock
from ..escalation import Directory, OnDuty
from ..incident import STATES
from ..runs.drill import word_for
from ..runs.people import complete_step
from ..runs.runner import Runner
from ..store import journal
from ..store.clocks import next_alarm_at
from ..store.drills import Drill, add_drill, get_drill, incidents_of_drill, next_moment
from ..store.engine import Store
from ..store.incidents import Incident, get_incidents
from ..store.runs import StepRow, next_wake, runs_about, steps_of_run
from ..store.schema import notices
from ..world import World
from .drilling import make_director

_DRILL, _ACTOR = "rehearsal", "person:rehearsal"
MOST_MOMENTS = 20_000
_MOST_MOVES = 200
_LEAST = timedelta(seconds=1)


class Woken(Struct, frozen=True, kw_only=True):
    """A notice that would have gone out."""

    at: datetime
    person: str | None
    channel: str
    subject: str


class Rehearsed(Struct, frozen=True, kw_only=True):
    """How a rehearsal went.

    Fields:
        timeline: The journal's entries, oldest first: when, who, what, and the gist.
    """

    sheet: Sheet
    ended: datetime
    woken: list[Woken]
    timeline: list[dict[str, Any]]


async def rehearse(world: World, script: Script, unit: str, began: datetime, folder: Path) -> Rehearsed:
    """Play a script to its end in a scratch folder.

    Args:
        world: The register, law, plans and chains in force.
        script: What happens.
        unit: Whose drill it is.
        began: When the simulated clock begins.
        folder: Empty; it holds a database afterwards that nobody needs.
    """
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'rehearsal.db'}")
    try:
        return await _Stage(world, script, unit, began, store=store, folder=folder).play()
    finally:
        await store.close()


class _Stage:
    def __init__(
        self, world: World, script: Script, unit: str, began: datetime, *, store: Store, folder: Path
    ) -> None:
        self._script, self._unit, self._began, self._now = script, unit, began, began
        self._store = store
        language = world.settings.language
        self._casework = Casework(
            registry=lambda: world.registry,
            regimes=lambda: world.regimes,
            policy=lambda: world.policy,
            rosters=lambda: world.rosters,
            language=language,
        )
        documents = Documents(
            registry=lambda: world.registry, regimes=lambda: world.regimes, classes=lambda: world.classes
        )
        self._upstream = Upstream(
            store,
            state=folder,
            registry=lambda: world.registry,
            routes=lambda: world.settings.routes,
            record_filing=self._casework.record_filing,
            statement=documents.statement,
            clock=lambda: self._now,
        )

        def directory() -> Directory:
            return OnDuty(registry=world.registry, rosters=world.rosters, at=self._now)

        roles = {name: asset.role for name, asset in world.registry.assets.items()}
        self._runner = Runner(
            store,
            lambda: world.plans,
            actions.build(Surroundings(directory=directory, file=self._upstream.file, language=language)),
            lambda: self._now,
            asset_role=roles.get,
        )
        self._director = make_director(store, self._casework, directory, language, lambda: self._now)
        self._duty = DutyClock(store, self._casework, wall=lambda: self._now, steady=self._seconds)
        self._people = _People(script, began)

    def _seconds(self) -> float:
        return (self._now - self._began).total_seconds()

    async def play(self) -> Rehearsed:
        await self._store.run(self._begin)
        for _ in range(MOST_MOMENTS):
            await self._settle()
            if await self._over():
                break
            self._now = max(await self._next(), self._now + _LEAST)
        return await self._found()

    async def _begin(self, conn: AsyncConnection) -> None:
        script = self._script
        drill = Drill(
            id=_DRILL,
            unit=self._unit,
            units=[self._unit],
            name=script.name.zh,
            name_en=script.name.en,
            form=script.form,
            scope=script.scope,
            kind=script.kind,
            state="planned",
            script=msgspec.to_builtins(script),
            planned_at=self._began,
            created_by=_ACTOR,
            created_at=self._began,
        )
        await add_drill(conn, drill, _ACTOR)
        await self._director.start(conn, _DRILL, _ACTOR, self._now)

    async def _settle(self) -> None:
        """Let everything that can move at this moment do so."""
        for _ in range(_MOST_MOVES):
            seen = self._store.changed.count
            await self._director.step()
            await self._duty.tick()
            await self._runner.work()
            await self._upstream.step()
            await self._act()
            if self._store.changed.count == seen:
                return

    async def _act(self) -> None:
        incidents, steps = await self._look()
        for incident in incidents:
            if state := self._people.moves(incident, self._now):
                await self._store.run(
                    lambda conn, key=incident.id, to=state: self._casework.move(  # type: ignore[misc]
                        conn, key, to, _ACTOR, self._now, "rehearsal"
                    )
                )
        for run, step, row in steps:
            if self._people.answers(row) <= self._now:
                await self._store.run(lambda conn, at=(run, step, row): self._answer(conn, *at))  # type: ignore[misc]

    async def _answer(self, conn: AsyncConnection, run: str, step: str, row: StepRow) -> None:
        await word_for(conn, run, step, row, self._now, complete_step)

    async def _look(self) -> tuple[list[Incident], list[tuple[str, str, StepRow]]]:
        async with self._store.read() as conn:
            keys = list((await incidents_of_drill(conn, _DRILL)).values())
            found = [one for one in await get_incidents(conn, keys) if one.state != "closed"]
            runs = [run for run in await runs_about(conn, keys) if run.state == "running"]
            steps = [
                (run.id, row.step, row)
                for run in runs
                for row in await steps_of_run(conn, run.id)
                if row.state == "waiting" and (row.kind in {"manual", "approve"} or row.asks)
            ]
        return found, steps

    async def _over(self) -> bool:
        async with self._store.read() as conn:
            drill = await get_drill(conn, _DRILL)
        return drill is None or drill.state == "done"

    async def _next(self) -> datetime:
        incidents, steps = await self._look()
        async with self._store.read() as conn:
            ahead = [await next_moment(conn), await next_alarm_at(conn), await next_wake(conn)]
        ahead += [at for one in incidents for at in self._people.moments(one)]
        ahead += [self._people.answers(row) for _, _, row in steps]
        return min((at for at in ahead if at is not None and at > self._now), default=self._now)

    async def _found(self) -> Rehearsed:
        async with self._store.read() as conn:
            drill = await get_drill(conn, _DRILL)
            assert drill is not None  # noqa: S101 - it was added at the beginning
            query = sa.select(notices).order_by(notices.c.created_at, notices.c.id)
            woken = [
                Woken(
                    at=row["created_at"],
                    person=row["person"],
                    channel=row["channel"],
                    subject=str(row["payload"].get("subject", "")),
                )
                for row in (await conn.execute(query)).mappings()
            ]
            timeline = [
                {
                    "at": row.at,
                    "actor": row.actor,
                    "action": row.action,
                    "subject": row.subject,
                    "detail": row.detail,
                }
                async for row in journal.read_chains(conn)
            ]
        return Rehearsed(
            sheet=msgspec.convert(drill.sheet, Sheet), ended=self._now, woken=woken, timeline=timeline
        )


class _People:
    """The people of a rehearsal: each does a thing so long after it was asked, unless not to be had."""

    def __init__(self, script: Script, began: datetime) -> None:
        self._script = script
        self._absent = absences(script.events, began)

    def moves(self, incident: Incident, now: datetime) -> str | None:
        """Return the state an incident is brought into by now, if it is another."""
        reached = [state for state, at in self._wanted(incident) if at <= now]
        state = reached[-1] if reached else incident.state
        return state if STATES.index(state) > STATES.index(incident.state) else None

    def moments(self, incident: Incident) -> Iterator[datetime]:
        """Return when the people will do something about an incident."""
        return (
            at for state, at in self._wanted(incident) if STATES.index(state) > STATES.index(incident.state)
        )

    def answers(self, row: StepRow) -> datetime:
        """Return when a step that waits for a person is answered."""
        return self._there(row.owner_role or "duty", row.ready_at + self._script.people.answer)

    def _wanted(self, incident: Incident) -> Iterator[tuple[Any, datetime]]:
        people, opened = self._script.people, incident.opened_at
        taken = self._there("duty", opened + people.answer)
        contained = max(taken, opened + people.contain)
        yield "acknowledged", taken
        yield "contained", contained
        yield "handled", max(contained, opened + people.handle)

    def _there(self, role: str, at: datetime) -> datetime:
        for absent, since, until in self._absent:
            if absent == role and since <= at < until:
                at = until
        return at
