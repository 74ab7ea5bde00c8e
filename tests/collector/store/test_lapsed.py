"""What is past due and open is named with its incident, earliest first."""

from datetime import UTC, datetime, timedelta

from collector.store.engine import Store
from collector.store.lapsed import lapsed
from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)


async def test_only_what_is_past_due_is_named(state: Store, office: Office) -> None:
    async with state.write() as connection:
        finding = office.finding(NINE, facts={"declared_level": "III"})
        await office.casework.open(connection, finding, NINE, NINE)
    async with state.read() as connection:
        assert await lapsed(connection, NINE) == []
        found = await lapsed(connection, NINE + timedelta(days=30))

    assert {one.title for one in found} == {finding.title}
    assert all(one.obligation.startswith("cn-") for one in found)
    assert found[0].due_at > NINE
