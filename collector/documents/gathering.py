"""Reads from the state what a document about an incident rests on."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ..classes import Classes
from ..regimes import Regime
from ..registry import Registry
from ..statement import Statement, Words
from ..store import journal, views
from ..store.board import read_case
from ..store.clocks import Clock, clocks_of
from ..store.desk import NODES, one
from ..store.drafts import draft_of
from ..store.filings import filings_of
from ..store.incidents import get_incident
from .eight_items import compose
from .material import Material, Measure, title_of


class Documents:
    """Knows what a report says.

    Args:
        registry, regimes, classes: What is in force; asked at every call, so that a reload counts at once.
    """

    def __init__(
        self,
        *,
        registry: Callable[[], Registry],
        regimes: Callable[[], Sequence[Regime]],
        classes: Callable[[], Classes],
    ) -> None:
        self._registry = registry
        self._regimes = regimes
        self._classes = classes

    async def statement(self, conn: AsyncConnection, clock: Clock, now: datetime) -> Statement:
        """Return the content of the report a clock asks for, with what persons have written for it."""
        material = await self.material(conn, clock.incident, now)
        if material is None:
            raise LookupError(clock.incident)
        draft = await draft_of(conn, clock)
        return compose(
            material,
            clock,
            self._regimes(),
            written=draft.written,
            ransom=draft.ransom,
        )

    async def material(self, conn: AsyncConnection, incident: str, now: datetime) -> Material | None:
        """Return all that is known of an incident; None where there is none."""
        row = await get_incident(conn, incident)
        case = await read_case(conn, incident, units=None, entries=0) if row else None
        if row is None or case is None:
            return None
        registry = self._registry()
        asset = registry.asset(row.asset)
        duty = registry.persons(row.unit, "duty")
        node = await one(conn, NODES, views.NodeRow, (row.node,)) if row.node else None
        name = self._classes().name(row.klass)
        plans = {run.id: run.plan_body for run in case.runs}
        return Material(
            incident=row,
            unit=registry.unit(row.unit),
            asset=asset,
            operator=registry.unit(asset.operator) if asset and asset.operator else None,
            contact=duty[0] if duty else None,
            kind=Words(name.zh, name.en),
            criteria={
                line.id: Words(line.text.zh, line.text.en)
                for regime in self._regimes()
                if regime.id == row.level_by
                for line in regime.criteria
            },
            host=node.host_name if node else None,
            clocks=tuple(await clocks_of(conn, [incident])),
            filings=tuple(await filings_of(conn, incident)),
            journal=tuple(await journal.of_incident(conn, incident)),
            measures=tuple(
                Measure(
                    run=step.run,
                    step=step.step,
                    kind=step.kind,
                    title=title_of(plans[step.run], step.step),
                    state=step.state,
                    actor=step.actor,
                    ended_at=step.ended_at,
                )
                for step in case.steps
            ),
            at=now,
        )
