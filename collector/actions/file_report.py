"""File what an obligation of the incident owes; in a drill `authority` sees that it reaches no stranger."""

from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import PermanentError
from ..plans.conditions import fill
from ..plans.model import FileReport as FileStep
from ..store.clocks import clocks_of
from .port import Done, Failed, Result, Skipped, StepContext, Surroundings


class FileReport:
    """Queues the filing through `authority`; a report filed by itself already is found there, not doubled."""

    kind: ClassVar[str] = "file_report"

    def __init__(self, surroundings: Surroundings, /) -> None:
        self._surroundings = surroundings

    async def begin(self, conn: AsyncConnection, context: StepContext, /) -> Result:
        """Queue the filing once; skipped where the incident does not owe it."""
        step = context.step
        assert isinstance(step, FileStep)  # noqa: S101 - the runner asks by kind
        if context.incident is None:
            return Skipped("the run has no incident that could owe a report")
        owed = {clock.obligation: clock for clock in await clocks_of(conn, [context.incident.id])}
        clock = owed.get(step.obligation)
        if clock is None or clock.state == "withdrawn":
            return Skipped(f"{step.obligation} is not owed")
        content = {name: fill(text, context.scope) for name, text in step.content.items()}
        try:
            filing = await self._surroundings.file(
                conn, clock.id, "system", context.now, complete=step.complete, content=content
            )
        except PermanentError as error:
            return Failed(str(error))
        return Done({"filing": filing})

    async def poll(self, conn: AsyncConnection, context: StepContext, /) -> Result:
        """Queue what a killed begin may have left."""
        return await self.begin(conn, context)
