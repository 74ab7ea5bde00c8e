"""The office's casework on a database, for every test of what is written there."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from collector.store import clocks, journal
from collector.store.clocks import Clock
from collector.store.engine import Store
from collector.store.incidents import Incident, get_incident

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
REPORT = "cn-informatization/report"
FIRST = "cn-cac-2025/first"


class Desk:
    """The office's casework on a database; every call is a transaction of its own."""

    def __init__(self, store: Store, office: "Office") -> None:
        self.store = store
        self.office = office
        self.key = ""

    async def do(self, name: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - any method of casework
        method: Callable[..., Awaitable[Any]] = getattr(self.office.casework, name)
        async with self.store.write() as connection:
            return await method(connection, *args, **options)

    async def report(self, at: datetime = NINE, now: datetime | None = None, **changes: Any) -> str:  # noqa: ANN401 - the fields of a finding
        finding = self.office.finding(NINE, **changes)
        self.key = await self.do("open", finding, at, now or at)
        return self.key

    async def held(self) -> Incident:
        async with self.store.read() as connection:
            found = await get_incident(connection, self.key)
        assert found is not None
        return found

    async def clocks(self) -> dict[str, Clock]:
        async with self.store.read() as connection:
            return {clock.obligation: clock for clock in await clocks.clocks_of(connection, [self.key])}

    async def told(self) -> list[journal.Row]:
        async with self.store.read() as connection:
            return await journal.of_incident(connection, self.key)
