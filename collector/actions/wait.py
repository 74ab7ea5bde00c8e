"""Wait for a length of time, a time, the incident's state, or the receipt of a report."""

from datetime import timedelta
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncConnection

from ..incident import STATES
from ..plans.model import Wait as WaitStep
from ..store.clocks import clocks_of
from ..store.filings import filings_of
from .port import Done, Failed, Result, Skipped, StepContext, Surroundings, Waiting

LOOK_AGAIN = timedelta(seconds=30)
"""Whoever changes an incident or stores a receipt wakes the step; this is for what was missed."""


class Wait:
    """Writes nothing; only looks."""

    kind: ClassVar[str] = "wait"

    def __init__(self, surroundings: Surroundings, /) -> None:
        del surroundings

    async def begin(self, conn: AsyncConnection, context: StepContext, /) -> Result:
        """Look whether it has come already."""
        return await self.poll(conn, context)

    async def poll(self, conn: AsyncConnection, context: StepContext, /) -> Result:
        """Look whether what is waited for has come."""
        step = context.step
        assert isinstance(step, WaitStep)  # noqa: S101 - the runner asks by kind
        until = step.until if step.length is None else context.since + step.length
        if until is not None:
            return Done() if context.now >= until else Waiting(until)
        if context.incident is None:
            return Skipped("the run has no incident to wait for")
        if step.incident is not None:
            reached = STATES.index(context.incident.state) >= STATES.index(step.incident)
            return Done() if reached else Waiting(context.now + LOOK_AGAIN)
        return await self._receipt(conn, context, context.incident.id, step.receipt or "")

    async def _receipt(
        self, conn: AsyncConnection, context: StepContext, incident: str, obligation: str
    ) -> Result:
        filed = {filing.obligation: filing for filing in await filings_of(conn, incident)}
        filing = filed.get(obligation)
        if filing is not None and filing.receipt_at is not None:
            return Done({"receipt_at": filing.receipt_at.isoformat()})
        if filing is not None and filing.state == "refused":
            return Failed(f"the report was refused: {(filing.result or {}).get('why', 'no reason given')}")
        owed = any(clock.obligation == obligation for clock in await clocks_of(conn, [incident]))
        return Waiting(context.now + LOOK_AGAIN) if owed else Skipped(f"{obligation} is not owed")
