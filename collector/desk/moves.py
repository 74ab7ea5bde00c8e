"""What a person does, by console or API alike: rights first, then one transaction, or a plain no."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Any, Literal, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import PermanentError
from ..plans.warned import Warned
from ..store.board import unit_of_incident, unit_of_run
from .problem import ProblemError
from .rights import Principal, allow_on, roles_on
from .world import Desk

Answer = TypeVar("Answer")
Target = Literal["acknowledged", "contained", "handled", "closed"]
"""States a person can bring an incident into; `open` again is what a new report does."""


async def move_incident(
    desk: Desk, principal: Principal, incident: str, to: Target, reason: str, *, now: datetime
) -> None:
    """Bring an incident into another state in the name of the principal.

    Raises:
        ProblemError: not-found, forbidden, or conflict where the move is not legal from where it stands.
    """

    async def work(conn: AsyncConnection) -> None:
        unit = await unit_of_incident(conn, incident)
        if unit is None:
            raise ProblemError("not-found", f"there is no incident {incident!r}")
        allow_on(principal, "act", unit, desk.registry(), f"incident {incident!r}")
        if to == "closed" and not reason.strip():
            raise ProblemError("malformed", "reason: found nothing, expected why the incident is closed")
        try:
            await desk.move(conn, incident, to, principal.actor, now, reason.strip())
        except PermanentError as error:
            raise ProblemError("conflict", str(error)) from error

    await desk.store.run(work)


async def confirm(
    desk: Desk,
    principal: Principal,
    incident: str,
    *,
    level: str | None,
    clock: str | None,
    reason: str,
    now: datetime,
) -> None:
    """Confirm a proposed level, or that a clock in doubt was missed, in the name of the principal.

    Raises:
        ProblemError: not-found, forbidden, malformed where it is not exactly one of both, or conflict where
            there is nothing to confirm.
    """
    if (level is None) == (clock is None):
        raise ProblemError("malformed", "found both or none of level and clock, expected one of them")

    async def work(conn: AsyncConnection) -> None:
        unit = await unit_of_incident(conn, incident)
        if unit is None:
            raise ProblemError("not-found", f"there is no incident {incident!r}")
        allow_on(principal, "act", unit, desk.registry(), f"incident {incident!r}")
        try:
            await desk.confirm(
                conn, incident, principal.actor, now, level=level, clock=clock, reason=reason.strip()
            )
        except PermanentError as error:
            raise ProblemError("conflict", str(error)) from error

    await desk.store.run(work)


async def complete_step(
    desk: Desk, principal: Principal, run: str, step: str, out: dict[str, Any], *, now: datetime
) -> None:
    """Say in the name of the principal that a manual step is done.

    Raises:
        ProblemError: not-found, forbidden, or conflict where the step does not wait for a person.
    """

    async def work(conn: AsyncConnection) -> None:
        roles = await _roles_on_run(desk, principal, run, conn)
        await _said(desk.complete_step(conn, run, step, principal.actor, out, now, roles))

    await desk.store.run(work)


async def act_on_run(
    desk: Desk,
    principal: Principal,
    run: str,
    deed: str,
    *,
    step: str = "",
    level: str | None = None,
    until: datetime | None = None,
    reason: str,
    now: datetime,
) -> None:
    """Pause, resume or cancel a run, skip or retry a step, set the response level, in the principal's name.

    Raises:
        ProblemError: not-found, forbidden, or conflict where it cannot be done as the run stands.
    """

    async def work(conn: AsyncConnection) -> None:
        roles = await _roles_on_run(desk, principal, run, conn)
        await _said(
            desk.act_on_run(
                conn,
                run,
                deed,
                step=step,
                level=level,
                until=until,
                reason=reason,
                actor=principal.actor,
                roles=roles,
                now=now,
            )
        )

    await desk.store.run(work)


async def start_run(
    desk: Desk,
    principal: Principal,
    plan: str,
    *,
    incident: str | None,
    unit: str | None,
    reason: str,
    now: datetime,
) -> str:
    """Begin a plan in the name of the principal, for an incident or for a unit; returns the run.

    Raises:
        ProblemError: not-found, forbidden, malformed where it is not exactly one of both, or conflict where
            the plan may not be started so.
    """
    if (incident is None) == (unit is None):
        raise ProblemError("malformed", "found both or none of incident and unit, expected one of them")
    if not reason.strip():
        raise ProblemError("malformed", "reason: found nothing, expected why the plan is started")

    async def work(conn: AsyncConnection) -> str:
        owner = unit if incident is None else await unit_of_incident(conn, incident)
        registry = desk.registry()
        if owner is None or (incident is None and registry.unit(owner) is None):
            raise ProblemError("not-found", f"there is no incident or unit {incident or unit!r}")
        allow_on(principal, "act", owner, registry, f"incident or unit {incident or unit!r}")
        return await _said(
            desk.start_run(
                conn,
                plan,
                incident=incident,
                unit=owner,
                roles=roles_on(principal, owner, registry),
                actor=principal.actor,
                reason=reason.strip(),
                now=now,
            )
        )

    return await desk.store.run(work)


async def start_by_warning(
    desk: Desk, principal: Principal, warned: Warned, unit: str, *, now: datetime
) -> str:
    """Begin what a warning from above asks of a unit; the same warning again finds its run.

    Raises:
        ProblemError: not-found, forbidden, or conflict where no plan is for such a warning.
    """

    async def work(conn: AsyncConnection) -> str:
        registry = desk.registry()
        if registry.unit(unit) is None:
            raise ProblemError("not-found", f"there is no unit {unit!r}")
        allow_on(principal, "act", unit, registry, f"unit {unit!r}")
        run = await desk.start_by_warning(conn, warned, unit, now)
        if run is None:
            what = f"a {warned.colour} warning of class {warned.klass}"
            raise ProblemError("conflict", f"no plan is for {what}; plans say so by `warnings` and `classes`")
        return run

    return await desk.store.run(work)


async def _roles_on_run(desk: Desk, principal: Principal, run: str, conn: AsyncConnection) -> frozenset[str]:
    unit = await unit_of_run(conn, run)
    if unit is None:
        raise ProblemError("not-found", f"there is no run {run!r}")
    allow_on(principal, "act", unit or None, desk.registry(), f"run {run!r}")
    return roles_on(principal, unit or None, desk.registry())


async def _said(deed: Awaitable[Answer]) -> Answer:
    try:
        return await deed
    except PermanentError as error:
        raise ProblemError("conflict", str(error)) from error
