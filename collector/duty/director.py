"""Plays the scripts of drills: injects what is due, and ends a drill in its time.

    planned ──start, by a person──> running ──each event at its time──> ... ──time over, or a person──> done
                                       │                                                                │
            incident ──> Casework.open, flagged: clocks, notices, runs, filings all bear the flag       │
            facts    ──> Casework.regrade                                                               │
            absent, message ──> marked notices to the people of the role                                │
            at the end: incidents closed, clocks taken back, runs given up, the sheet kept as it is <───┘

One event, one transaction, with the drill's row as the lock: a process killed anywhere has injected an event
or not, and whoever comes next goes on. Nothing starts by itself: a drill begins by a person's word.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from ..drills import Event, Script, marked
from ..drills.script import Absent, Begun, Message, fact_values
from ..errors import PermanentError, RetryableError
from ..escalation import Directory, wake
from ..incident import Finding
from ..store.drill_course import sheet_of
from ..store.drills import (
    Drill,
    DrillEvent,
    add_drill_incident,
    arm_events,
    cancel_events,
    change_drill,
    drills_with_work,
    end_event,
    events_of,
    get_drill,
    incidents_of_drill,
    next_moment,
    tell,
)
from ..store.engine import Store
from ..store.notice_batch import NewNotice, add_notices
from ..store.runs import runs_about
from .silence import OpenIncident

POLL = timedelta(seconds=5)
_OVER = "the drill is over"
_log = logging.getLogger(__name__)


class DrillRefusedError(PermanentError):
    """What cannot be done to a drill as it stands, and why."""


class Regrade(Protocol):
    """`Casework.regrade`."""

    def __call__(
        self,
        connection: AsyncConnection,
        incident: str,
        now: datetime,
        facts: Mapping[str, Any],
        actor: str,
        /,
    ) -> Awaitable[None]:
        """Grade anew with further facts."""
        ...


class EndIncident(Protocol):
    """`Casework.end_drill`."""

    def __call__(
        self, connection: AsyncConnection, incident: str, actor: str, reason: str, now: datetime, /
    ) -> Awaitable[None]:
        """Close it and take its open clocks back."""
        ...


class GiveUp(Protocol):
    """`runs.end_drill_run`."""

    def __call__(
        self, conn: AsyncConnection, run: str, actor: str, reason: str, now: datetime, /
    ) -> Awaitable[object]:
        """Cancel a run, and leave what it did as it is: it did nothing."""
        ...


class Director:
    """Starts, plays and ends drills; `run` for ever, `step` once.

    Args:
        store: The state.
        open_incident, regrade, end_incident: The writers of incidents.
        give_up: Cancels a run.
        directory: Whom roles mean now.
        language: Of notices.
        now: The time.

    Attributes:
        injected: How many events this process injected.
    """

    def __init__(
        self,
        store: Store,
        *,
        open_incident: OpenIncident,
        regrade: Regrade,
        end_incident: EndIncident,
        give_up: GiveUp,
        directory: Callable[[], Directory],
        language: str,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._open = open_incident
        self._regrade = regrade
        self._end_incident = end_incident
        self._give_up = give_up
        self._directory = directory
        self._language = language
        self._now = now
        self.injected = 0

    async def run(self) -> None:
        """Play until cancelled."""
        while True:
            seen = self._store.changed.count
            pause = POLL
            try:
                pause = await self.step()
            except RetryableError as error:
                _log.warning("drills wait: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(pause.total_seconds(), 0.02)):
                    await self._store.changed.wait(seen)

    async def step(self) -> timedelta:
        """Inject and end what is due; return for how long nothing else will be."""
        now = self._now()
        async with self._store.read() as conn:
            due = await drills_with_work(conn, now)
        for key in due:
            await self._play(key, now)
        async with self._store.read() as conn:
            ahead = await next_moment(conn)
        return POLL if ahead is None else min(max(ahead - now, timedelta(0)), POLL)

    async def start(self, conn: AsyncConnection, key: str, actor: str, now: datetime) -> Drill:
        """Begin a planned drill that has a script: its events are armed.

        Raises:
            DrillRefusedError: There is none, it is not planned any more, or nothing was written for it.
        """
        drill = await _held(conn, key)
        script = drill.written
        if drill.state != "planned" or script is None:
            found = drill.state if drill.state != "planned" else "no script"
            raise DrillRefusedError(f"drill {key}: found {found}, expected a planned drill with its script")
        await arm_events(conn, events_from(drill.id, script, now))
        await change_drill(conn, key, state="running", started_at=now, ends_at=now + script.lasts)
        await tell(conn, drill, "drill.started", actor, now, form=drill.form, superior=drill.superior)
        return msgspec.structs.replace(drill, state="running", started_at=now, ends_at=now + script.lasts)

    async def inject(self, conn: AsyncConnection, key: str, event: Event, actor: str, now: datetime) -> int:
        """Add an event to a running drill, so long after now as it says; returns its number.

        Raises:
            DrillRefusedError: The drill does not run.
        """
        drill = await _held(conn, key)
        if drill.state != "running":
            raise DrillRefusedError(f"drill {key}: found {drill.state}, expected one that is running")
        known = await events_of(conn, key)
        begun = {one.body["incident"]["name"] for one in known if one.kind == "incident"}
        if event.incident and event.incident.name in begun:
            raise DrillRefusedError(f"incident.name: {event.incident.name!r} is taken in this drill")
        n = max((one.n for one in known), default=0) + 1
        await arm_events(conn, [_row(key, n, event, now + event.at)])
        await tell(conn, drill, "drill.injected", actor, now, n=n, kind=event.kind)
        return n

    async def end(
        self, conn: AsyncConnection, key: str, actor: str, now: datetime, reason: str = _OVER
    ) -> Drill:
        """End a running drill: keep its score, close its incidents, give up its runs.

        Raises:
            DrillRefusedError: It does not run.
        """
        drill = await _held(conn, key)
        if drill.state != "running":
            raise DrillRefusedError(f"drill {key}: found {drill.state}, expected one that is running")
        sheet = msgspec.to_builtins(await sheet_of(conn, drill, now))
        await cancel_events(conn, key, now)
        incidents = list((await incidents_of_drill(conn, key)).values())
        for run in await runs_about(conn, incidents):
            if run.ended_at is None and run.state != "cancelling":
                await self._give_up(conn, run.id, actor, reason, now)
        for incident in incidents:
            await self._end_incident(conn, incident, actor, reason, now)
        await change_drill(conn, key, state="done", ended_at=now, sheet=sheet)
        await tell(conn, drill, "drill.ended", actor, now, points=sheet["points"], counts=sheet["counts"])
        return msgspec.structs.replace(drill, state="done", ended_at=now, sheet=sheet)

    async def cancel(self, conn: AsyncConnection, key: str, actor: str, now: datetime, reason: str) -> None:
        """Take a planned drill out of the plan.

        Raises:
            DrillRefusedError: It has begun; then it is ended, and its score kept.
        """
        drill = await _held(conn, key)
        if drill.state != "planned":
            raise DrillRefusedError(
                f"drill {key}: found {drill.state}, expected a planned one; end a running one"
            )
        await change_drill(conn, key, state="cancelled", ended_at=now)
        await tell(conn, drill, "drill.cancelled", actor, now, reason=reason)

    async def _play(self, key: str, now: datetime) -> None:
        async with self._store.read() as conn:
            due = [one for one in await events_of(conn, key) if one.state == "armed" and one.at <= now]
        for event in due:
            await self._store.run(lambda conn, n=event.n: self._happen(conn, key, n, now))  # type: ignore[misc]

        async def close(conn: AsyncConnection) -> None:
            drill = await get_drill(conn, key, lock=True)
            if drill and drill.state == "running" and drill.ends_at and drill.ends_at <= now:
                await self.end(conn, key, "system", now)

        await self._store.run(close)

    async def _happen(self, conn: AsyncConnection, key: str, n: int, now: datetime) -> None:
        drill = await get_drill(conn, key, lock=True)
        row = next((one for one in await events_of(conn, key) if one.n == n), None)
        if drill is None or drill.state != "running" or row is None or row.state != "armed":
            return  # another process was first, or the drill was ended
        event = msgspec.convert(row.body, Event)
        try:
            result = await self._effect(conn, drill, row, event, now)
        except PermanentError as error:
            await end_event(conn, row, state="failed", result={"why": str(error)}, now=now)
            await tell(conn, drill, "drill.injected", "system", now, n=n, kind=row.kind, why=str(error))
            return
        self.injected += 1
        await end_event(conn, row, state="done", result=result, now=now)
        await tell(conn, drill, "drill.injected", "system", now, n=n, kind=row.kind, **result)

    async def _effect(
        self, conn: AsyncConnection, drill: Drill, row: DrillEvent, event: Event, now: datetime
    ) -> dict[str, Any]:
        if event.incident:
            finding = finding_of(drill, event.incident, row.at)
            incident = await self._open(conn, finding, row.at, now)
            await add_drill_incident(conn, drill.id, incident, event.incident.name)
            return {"incident": incident}
        if event.facts:
            incident = (await incidents_of_drill(conn, drill.id)).get(event.facts.of, "")
            if not incident:
                raise DrillRefusedError(f"facts.of: {event.facts.of!r} has not begun")
            await self._regrade(conn, incident, now, fact_values(event.facts.set, row.at), "system")
            return {"incident": incident}
        said = event.message or event.absent
        assert said is not None  # noqa: S101 - an event is exactly one of the four
        return {"told": await self._say(conn, drill, row, said, now)}

    async def _say(
        self, conn: AsyncConnection, drill: Drill, row: DrillEvent, said: Message | Absent, now: datetime
    ) -> list[str]:
        role = said.to if isinstance(said, Message) else said.role
        subject, body = self._words(drill, said)
        notices = [
            NewNotice(
                key=f"{drill.id}/{row.n}/{call.person}/{call.channel}",
                incident=None,
                person=call.person,
                channel=call.channel,
                payload={"subject": subject, "body": body, "language": self._language, "drill": True},
                drill=True,
            )
            for call in wake(self._directory(), drill.unit, role).calls
        ]
        await add_notices(conn, notices, now)
        return list(dict.fromkeys(notice.person for notice in notices if notice.person))

    def _words(self, drill: Drill, said: Message | Absent) -> tuple[str, str]:
        zh = self._language == "zh"
        name = marked(drill.name if zh else drill.name_en, self._language, drill=True)
        if isinstance(said, Message):
            return name, marked(said.text.in_language(self._language), self._language, drill=True)
        minutes = int(said.length.total_seconds() // 60)
        text = (
            f"导调:您在此后 {minutes} 分钟内扮演“联系不上”,请勿确认、勿办理任何步骤。"
            if zh
            else f"Control: for {minutes} minutes you cannot be reached. Acknowledge nothing and do no step."
        )
        return name, marked(text, self._language, drill=True)


def events_from(drill: str, script: Script, began: datetime) -> list[DrillEvent]:
    """Return a script's events as rows of a drill that began then."""
    return [_row(drill, n, event, began + event.at) for n, event in enumerate(script.events, start=1)]


def _row(drill: str, n: int, event: Event, at: datetime) -> DrillEvent:
    body = msgspec.to_builtins(event)
    return DrillEvent(drill=drill, n=n, at=at, kind=event.kind, body=body, state="armed")


def finding_of(drill: Drill, begun: Begun, at: datetime) -> Finding:
    """Return what opens an incident of a drill; by its fingerprint nothing real ever joins it."""
    script = drill.written
    first = next((event.incident.name for event in script.events if event.incident), "") if script else ""
    return Finding(
        fingerprint=f"drill/{drill.id}/{begun.name}",
        klass=begun.klass,
        unit=drill.unit,
        asset=begun.asset,
        node=begun.node,
        facts=fact_values(begun.facts, at),
        times={"occurred": at, "detected": at},
        first_seen=at,
        last_seen=at,
        title=marked(begun.title.zh, "zh", drill=True),
        title_en=marked(begun.title.en, "en", drill=True),
        source="drill",
        evidence=({"drill": drill.id, "event": begun.name, "at": at.isoformat()},),
        plan_hint=script.plan if script and first == begun.name else None,
        drill=True,
    )


async def _held(conn: AsyncConnection, key: str) -> Drill:
    drill = await get_drill(conn, key, lock=True)
    if drill is None:
        raise DrillRefusedError(f"drill {key!r}: there is none")
    return drill
