"""What `drill` does in the state database: each deed one transaction, by the collector's own director."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec

from wire.ids import uuid7
from wire.messages import DrillState

from ..app.drilling import DrillReports, make_director
from ..casework import Casework
from ..documents import Renderer
from ..drills import Event, Proof, Script, Sheet, prove
from ..errors import PermanentError
from ..escalation import OnDuty
from ..store import drills as rows
from ..store.drill_course import sheet_of
from ..store.drills import Announced, Drill
from ..store.engine import Store
from ..world import World
from ..yaml_marks import load


class Desk:
    """Works on drills in the name of an actor, at one moment."""

    def __init__(self, world: World, store: Store, actor: str, now: datetime) -> None:
        self._world, self._store, self._actor, self._now = world, store, actor, now
        casework = Casework(
            registry=lambda: world.registry,
            regimes=lambda: world.regimes,
            policy=lambda: world.policy,
            rosters=lambda: world.rosters,
            language=world.settings.language,
        )
        duty = OnDuty(registry=world.registry, rosters=world.rosters, at=now)
        self._director = make_director(store, casework, lambda: duty, world.settings.language, lambda: now)

    @classmethod
    @asynccontextmanager
    async def open(cls, world: World, actor: str, now: datetime) -> "AsyncIterator[Desk]":
        """Open the state database for a while."""
        store = await Store.open(world.settings.database_url)
        try:
            yield cls(world, store, actor, now)
        finally:
            await store.close()

    async def schedule(self, unit: str, units: list[str], planned: Mapping[str, Any]) -> Drill:
        """Put a drill into the plan."""
        script = planned["script"]
        drill = Drill(
            id=uuid7(self._now),
            unit=unit,
            units=units,
            state="planned",
            created_by=self._actor,
            created_at=self._now,
            **{**planned, "script": msgspec.to_builtins(script) if script else None},
        )
        await self._store.run(lambda conn: rows.add_drill(conn, drill, self._actor))
        return drill

    async def write(self, key: str, script: Script) -> Drill:
        """Give a planned drill its script; its form, scope and kind are the script's from then on."""

        async def work(conn: Any) -> None:  # noqa: ANN401 - a connection
            drill = await rows.get_drill(conn, key, lock=True)
            if drill is None or drill.state != "planned":
                found = drill.state if drill else "none"
                raise PermanentError(f"drill {key}: found {found}, expected a planned drill")
            values = {"form": script.form, "scope": script.scope, "kind": script.kind}
            await rows.change_drill(conn, key, script=msgspec.to_builtins(script), **values)
            await rows.tell(conn, drill, "drill.written", self._actor, self._now, events=len(script.events))

        await self._store.run(work)
        return await self._drill(key)

    async def listed(self, year: int | None) -> list[Drill]:
        """Return the drills of a year, or all."""
        async with self._store.read() as conn:
            found = await rows.all_drills(conn)
        return [one for one in found if year is None or one.planned_at.year == year]

    async def start(self, key: str) -> Drill:
        """Begin a drill; a running collector injects what is due."""
        await self._store.run(lambda conn: self._director.start(conn, key, self._actor, self._now))
        return await self._drill(key)

    async def inject(self, key: str, event: Event) -> int:
        """Add an event to a running drill."""
        return await self._store.run(
            lambda conn: self._director.inject(conn, key, event, self._actor, self._now)
        )

    async def end(self, key: str) -> Drill:
        """End a drill."""
        await self._store.run(lambda conn: self._director.end(conn, key, self._actor, self._now))
        return await self._drill(key)

    async def cancel(self, key: str, reason: str) -> Drill:
        """Take a drill out of the plan."""
        await self._store.run(lambda conn: self._director.cancel(conn, key, self._actor, self._now, reason))
        return await self._drill(key)

    async def lessons(self, key: str, text: str) -> Drill:
        """Write down what was learnt."""
        drill = await self._drill(key)

        async def work(conn: Any) -> None:  # noqa: ANN401 - a connection
            await rows.change_drill(conn, key, lessons=text)
            await rows.tell(conn, drill, "drill.lessons", self._actor, self._now, lessons=text)

        await self._store.run(work)
        return await self._drill(key)

    async def score(self, key: str) -> Sheet:
        """Return the score; of a drill that is over, as it was kept."""
        drill = await self._drill(key)
        if drill.sheet is not None:
            return msgspec.convert(drill.sheet, Sheet)
        async with self._store.read() as conn:
            return await sheet_of(conn, drill, self._now)

    async def report(self, key: str, kind: str, language: str) -> bytes:
        """Return the after-action report."""
        renderer = Renderer(lambda: self._world.settings.documents)
        reports = DrillReports(self._store, renderer, lambda: self._world.registry)
        return (await reports.make(key, kind, language, self._now))[2]

    async def proof(self, year: int) -> list[Proof]:
        """Return what every unit of ours can show of a year."""
        registry = self._world.registry
        units = [
            (key, registry.units[key].timezone) for key in sorted(registry.below(self._world.settings.unit))
        ]
        async with self._store.read() as conn:
            held = [drill.held for drill in await rows.all_drills(conn)]
        return prove(units, held, year, self._now)

    async def announced(self) -> list[Announced]:
        """Return what collectors below want us in."""
        async with self._store.read() as conn:
            return await rows.all_announced(conn)

    async def decide(self, key: str, state: DrillState) -> Announced:
        """Say whether this side is in a drill of a collector below."""
        found = await self._store.run(
            lambda conn: rows.decide_announced(conn, key, state, self._actor, self._now)
        )
        if found is None:
            raise PermanentError(f"drill {key!r}: none of this id was announced from below")
        return found

    async def _drill(self, key: str) -> Drill:
        async with self._store.read() as conn:
            found = await rows.get_drill(conn, key)
        if found is None:
            raise PermanentError(f"drill {key!r}: there is none; `drill list` shows those that are")
        return found


def read_event(text: str, file: str) -> Event:
    """Read one event of a script.

    Raises:
        Mistakes: every mistake of the file.
    """
    return load(text, file, Event)
