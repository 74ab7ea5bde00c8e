"""Drills as persons see and hold them, by console or API alike: rights first, then one transaction.

Who may act on a unit may hold its drills; whether this side is in a drill of a collector below is said by who
may act on that unit here.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.ids import uuid7
from wire.messages import DrillState

from ..drills import Event, Form, Kind, Proof, Scope, Sheet, prove, read_script
from ..errors import PermanentError
from ..store import drills as rows
from ..store.drill_course import sheet_of
from ..store.drill_story import Story, story_of
from ..store.drills import Announced, Drill
from ..yaml_marks import Mistakes, load
from .problem import ProblemError
from .rights import Principal, allow, allow_on, scope
from .world import Desk, Directs

Answer = TypeVar("Answer")
Deed = Literal["start", "inject", "end", "cancel", "write", "lessons"]
DEEDS: tuple[Deed, ...] = get_args(Deed)
Kinds = Literal["docx", "pdf", "json"]


class Wanted(Struct, frozen=True, kw_only=True):
    """A drill to be planned; what a script says wins over the rest."""

    unit: str
    units: Sequence[str]
    planned_at: datetime
    superior: bool
    script: str
    name: str
    name_en: str
    form: Form
    scope: Scope
    kind: Kind


class Shown(Struct, frozen=True, kw_only=True):
    """A drill with its score so far and what happened."""

    drill: Drill
    sheet: Sheet
    story: Story


async def list_drills(desk: Desk, principal: Principal) -> list[Drill]:
    """Return the drills that the principal may see, the latest planned first."""
    async with desk.store.read() as conn:
        found = await rows.all_drills(conn, units=scope(principal, desk.registry()))
    return found[::-1]


async def read_drill(desk: Desk, principal: Principal, key: str, now: datetime) -> Shown:
    """Return one drill.

    Raises:
        ProblemError: not-found.
    """
    async with desk.store.read() as conn:
        drill = await _seen(conn, desk, principal, key, "read")
        kept = msgspec.convert(drill.sheet, Sheet) if drill.sheet is not None else None
        sheet = kept or await sheet_of(conn, drill, now)
        return Shown(drill=drill, sheet=sheet, story=await story_of(conn, drill))


async def plan_drill(desk: Desk, principal: Principal, wanted: Wanted, now: datetime) -> Drill:
    """Put a drill into the plan.

    Raises:
        ProblemError: not-found, forbidden, or malformed with every mistake of the script.
    """
    registry = desk.registry()
    for unit in (wanted.unit, *wanted.units):
        if registry.unit(unit) is None:
            raise ProblemError("malformed", f"unit: found {unit[:80]!r}, expected one of the register")
    allow_on(principal, "act", wanted.unit, registry, f"unit {wanted.unit!r}")
    script = _script(wanted.script) if wanted.script.strip() else None
    if script is None and not (wanted.name.strip() and wanted.name_en.strip()):
        raise ProblemError("malformed", "name, name_en: found nothing, expected both where no script is")
    drill = Drill(
        id=uuid7(now),
        unit=wanted.unit,
        units=list(dict.fromkeys([wanted.unit, *wanted.units])),
        name=script.name.zh if script else wanted.name.strip(),
        name_en=script.name.en if script else wanted.name_en.strip(),
        form=script.form if script else wanted.form,
        scope=script.scope if script else wanted.scope,
        kind=script.kind if script else wanted.kind,
        state="planned",
        script=msgspec.to_builtins(script) if script else None,
        planned_at=wanted.planned_at,
        superior="waiting" if wanted.superior else "outside",
        created_by=principal.actor,
        created_at=now,
    )
    await desk.store.run(lambda conn: rows.add_drill(conn, drill, principal.actor))
    return drill


async def act_on_drill(
    desk: Desk, principal: Principal, key: str, deed: Deed, text: str = "", *, now: datetime
) -> None:
    """Do something to a drill in the principal's name.

    Args:
        desk: The world.
        principal: Who.
        key: Which drill.
        deed: What; `inject` takes an event and `write` a script as YAML in `text`, `cancel` a reason,
            `lessons` what was learnt.
        text: See there.
        now: When.

    Raises:
        ProblemError: not-found, forbidden, malformed, or conflict where it cannot be done now.
    """
    event = _event(text) if deed == "inject" else None
    script = _script(text) if deed == "write" else None
    if deed == "cancel" and not text.strip():
        raise ProblemError("malformed", "text: found nothing, expected why the drill is cancelled")

    async def work(conn: AsyncConnection) -> None:
        drill = await _seen(conn, desk, principal, key, "act")
        directs, actor = _directs(desk), principal.actor
        if deed == "start":
            await _said(directs.start(conn, key, actor, now))
        elif event is not None:
            await _said(directs.inject(conn, key, event, actor, now))
        elif deed == "end":
            await _said(directs.end(conn, key, actor, now))
        elif deed == "cancel":
            await _said(directs.cancel(conn, key, actor, now, text.strip()))
        elif script is not None:
            if drill.state != "planned":
                raise ProblemError("conflict", f"the drill is {drill.state}; only a planned one is written")
            kept = {name: getattr(script, name) for name in ("form", "scope", "kind")}
            names = {"name": script.name.zh, "name_en": script.name.en}
            await rows.change_drill(conn, key, script=msgspec.to_builtins(script), **kept, **names)
            await rows.tell(conn, drill, "drill.written", actor, now, events=len(script.events))
        else:
            await rows.change_drill(conn, key, lessons=text.strip())
            await rows.tell(conn, drill, "drill.lessons", actor, now, lessons=text.strip())

    await desk.store.run(work)


async def drill_proof(desk: Desk, principal: Principal, year: int, now: datetime) -> list[Proof]:
    """Return what every unit that the principal may see can show of a year."""
    registry = desk.registry()
    seen = scope(principal, registry)
    keys = [key for key in sorted(registry.below(desk.unit)) if seen is None or key in seen]
    async with desk.store.read() as conn:
        held = [drill.held for drill in await rows.all_drills(conn)]
    return prove([(key, registry.units[key].timezone) for key in keys], held, year, now)


async def list_announced(desk: Desk, principal: Principal) -> list[Announced]:
    """Return the drills that collectors below want this side in."""
    async with desk.store.read() as conn:
        return await rows.all_announced(conn, units=scope(principal, desk.registry()))


async def decide_drill(
    desk: Desk, principal: Principal, key: str, state: DrillState, *, now: datetime
) -> Announced:
    """Say whether this side is in a drill of a collector below.

    Raises:
        ProblemError: not-found, forbidden.
    """

    async def work(conn: AsyncConnection) -> Announced:
        held = await rows.get_announced(conn, key)
        if held is None:
            raise ProblemError("not-found", f"there is no announced drill {key!r}")
        registry = desk.registry()
        if registry.unit(held.unit) is not None:
            allow_on(principal, "act", held.unit, registry, f"announced drill {key!r}")
        allow(principal, "act")
        decided = await rows.decide_announced(conn, key, state, principal.actor, now)
        return decided or held

    return await desk.store.run(work)


async def report_drill(
    desk: Desk, principal: Principal, key: str, kind: Kinds, language: str, *, now: datetime
) -> tuple[str, str, bytes]:
    """Return the after-action report as name, media type and bytes.

    Raises:
        ProblemError: not-found, or conflict where it cannot be rendered.
    """
    async with desk.store.read() as conn:
        await _seen(conn, desk, principal, key, "read")
    if desk.drill_report is None:
        raise ProblemError("not-found", "this collector makes no reports of drills")
    return await _said(desk.drill_report(key, kind, language, now))


async def _seen(
    conn: AsyncConnection, desk: Desk, principal: Principal, key: str, deed: Literal["read", "act"]
) -> Drill:
    drill = await rows.get_drill(conn, key, lock=deed == "act")
    if drill is None:
        raise ProblemError("not-found", f"there is no drill {key!r}")
    allow_on(principal, deed, drill.unit, desk.registry(), f"drill {key!r}")
    return drill


def _directs(desk: Desk) -> Directs:
    if desk.director is None:
        raise ProblemError("not-found", "this collector holds no drills")
    return desk.director


def _script(text: str) -> Any:  # noqa: ANN401 - a Script; the reader types it
    return _read(lambda: read_script(text, "script"))


def _event(text: str) -> Event:
    return _read(lambda: load(text, "event", Event))


def _read(read: Callable[[], Answer]) -> Answer:
    try:
        return read()
    except Mistakes as error:
        raise ProblemError("malformed", str(error)) from error


async def _said(deed: Awaitable[Answer]) -> Answer:
    try:
        return await deed
    except PermanentError as error:
        raise ProblemError("conflict", str(error)) from error
