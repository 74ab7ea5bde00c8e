"""What the tests of actions need: a county's register, an incident, a step's visit as an action sees it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from collector.actions.port import StepContext, Surroundings
from collector.errors import PermanentError
from collector.plans.model import Step
from collector.store.engine import Store
from collector.store.incidents import Incident, get_incident

if TYPE_CHECKING:
    from tests.conftest import Office

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


class Visit:
    """One visit of a step of a run of a county's incident."""

    def __init__(self, store: Store, office: "Office", incident: Incident) -> None:
        self.store = store
        self.office = office
        self.incident: Incident | None = incident
        self.filed: list[tuple[str, bool, Mapping[str, Any]]] = []
        self.refuse_filing = False
        self.allow: Sequence[str] = ["http://127.0.0.1:9000/hooks"]
        self.changes: dict[str, Any] = {}

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(
            directory=lambda: self.office.registry, file=self._file, http_allow=lambda: self.allow
        )

    def of(self, step: Step, **changes: Any) -> StepContext:  # noqa: ANN401 - fields of a context
        """The visit as an action sees it."""
        incident = self.incident
        told = {"title": incident.title, "id": incident.id} if incident else {}
        visit = StepContext(
            run="run-1",
            name="step-1",
            visit=1,
            step=step,
            incident=incident,
            unit=incident.unit if incident else "county",
            since=NOW,
            deadline=NOW + timedelta(minutes=5),
            scope={"incident": told, "vars": {}, "run": {}},
            drill=False,
            now=NOW,
        )
        return replace(visit, **changes)

    async def _file(
        self,
        _conn: AsyncConnection,
        clock_id: str,
        _actor: str,
        _now: datetime,
        *,
        complete: bool,
        content: Mapping[str, Any],
    ) -> str:
        if self.refuse_filing:
            raise PermanentError("there is nobody to file to")
        self.filed.append((clock_id, complete, content))
        return f"filing-{len(self.filed)}"


@pytest.fixture
async def visit(sqlite_state: Store, office: "Office") -> Visit:
    """A visit of a step, of an incident that is in the store with its clocks."""
    finding = office.finding(NOW)
    async with sqlite_state.write() as conn:
        key = await office.casework.open(conn, finding, NOW, NOW)
        incident = await get_incident(conn, key)
    assert incident is not None
    return Visit(sqlite_state, office, incident)
