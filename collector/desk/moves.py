"""What a person does, by console or API alike: rights first, then one transaction, or a plain no."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import PermanentError
from ..store.board import incident_of_run, unit_of_incident
from .problem import ProblemError
from .rights import Principal, allow_on
from .world import Desk

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
        exists, unit = await incident_of_run(conn, run)
        if not exists:
            raise ProblemError("not-found", f"there is no run {run!r}")
        allow_on(principal, "act", unit, desk.registry(), f"run {run!r}")
        try:
            await desk.complete_step(conn, run, step, principal.actor, out, now)
        except PermanentError as error:
            raise ProblemError("conflict", str(error)) from error

    await desk.store.run(work)
