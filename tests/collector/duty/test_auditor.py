import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from collector.duty import Auditor
from collector.duty import auditor as auditor_module
from collector.registry import Registry
from collector.store import journal, schema
from collector.store.engine import Store, StoreBusyError
from collector.store.notice_batch import NewNotice, add_notices
from collector.tasks import spawn

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def told(store: Store) -> list[tuple[str, str]]:
    async with store.read() as connection:
        query = sa.select(schema.notices.c.person, schema.notices.c.payload).order_by(schema.notices.c.id)
        return [(person, payload["kind"]) for person, payload in await connection.execute(query)]


async def findings(store: Store) -> list[str]:
    async with store.read() as connection:
        rows = [row async for row in journal.read_chains(connection)]
    return [row.detail["finding"] for row in rows if row.action == "audit.finding"]


async def open_incident(store: Store, office: "Office", **changes: object) -> str:
    async with store.write() as connection:
        return await office.casework.open(connection, office.finding(NINE, **changes), NINE, NINE)


async def test_where_the_duty_clock_is_dead_the_auditor_wakes_people(
    sqlite_state: Store, office: "Office"
) -> None:
    await open_incident(sqlite_state, office)
    auditor = Auditor(sqlite_state, lambda: office.registry, "city", now=lambda: NINE + timedelta(minutes=2))

    assert [one.kind for one in await auditor.audit()] == ["alarm_not_fired"]
    assert await told(sqlite_state) == [("wang", "alarm_not_fired")]
    assert await findings(sqlite_state) == ["alarm_not_fired"]
    assert (auditor.findings, auditor.last_pass) == (1, NINE + timedelta(minutes=2))


def with_channels(office: "Office", **channels: list[str]) -> Registry:
    """The office, where these people have these channels."""
    people = {
        key: replace(person, channels=dict.fromkeys(channels.get(key, person.channels), "http://127.0.0.1/"))
        for key, person in office.registry.people.items()
    }
    return replace(office.registry, people=people)


@pytest.mark.parametrize(
    ("channels", "told_over"),
    [
        ({"wang": ["webhook", "sms"]}, [("wang", "sms")]),
        ({"wang": ["webhook"], "zhao": ["webhook", "mail"]}, [("zhao", "mail")]),
        ({"wang": ["webhook"], "zhao": ["webhook"], "li": ["mail"]}, [("li", "mail")]),
        ({}, [("wang", "webhook")]),  # nobody has another way: it may be back
    ],
)
async def test_a_channel_that_is_silent_is_not_the_one_that_says_so(
    sqlite_state: Store, office: "Office", channels: dict[str, list[str]], told_over: list[tuple[str, str]]
) -> None:
    async with sqlite_state.write() as connection:
        new = NewNotice(
            key="k", incident=None, person="wang", channel="webhook", payload={"kind": "the stuck one"}
        )
        await add_notices(connection, [new], NINE)
    registry = with_channels(office, **channels)
    auditor = Auditor(sqlite_state, lambda: registry, "county", now=lambda: NINE + HOUR)
    if "li" in channels:
        registry = replace(
            registry, units=registry.units | {"county": replace(registry.units["county"], leader=None)}
        )
        auditor = Auditor(sqlite_state, lambda: registry, "city", now=lambda: NINE + HOUR)
    await auditor.audit()
    async with sqlite_state.read() as connection:
        query = sa.select(schema.notices.c.person, schema.notices.c.channel).where(
            schema.notices.c.key != "k"
        )
        found = [tuple(row) for row in await connection.execute(query)]

    assert found == told_over


async def test_a_finding_is_told_once_also_after_a_restart(sqlite_state: Store, office: "Office") -> None:
    await open_incident(sqlite_state, office)
    for _ in range(2):
        auditor = Auditor(sqlite_state, lambda: office.registry, "city", now=lambda: NINE + 2 * HOUR / 60)
        await auditor.audit()
        await auditor.audit()

    assert await findings(sqlite_state) == ["alarm_not_fired"]


async def test_a_dead_clock_is_one_notice_a_person_however_many_alarms_it_missed(
    sqlite_state: Store, office: "Office"
) -> None:
    for number in range(12):
        await open_incident(sqlite_state, office, fingerprint=str(number))
    auditor = Auditor(sqlite_state, lambda: office.registry, "city", now=lambda: NINE + timedelta(minutes=2))

    assert len(await auditor.audit()) == 12
    assert await told(sqlite_state) == [("wang", "alarm_not_fired")]
    async with sqlite_state.read() as connection:
        (payload,) = (await connection.execute(sa.select(schema.notices.c.payload))).scalars()
    assert payload["subject"].endswith("an alarm that is due has not fired (12)")
    assert len(payload["body"].splitlines()) == 10


async def test_what_was_done_in_time_is_no_finding(sqlite_state: Store, office: "Office") -> None:
    await open_incident(sqlite_state, office)
    async with sqlite_state.write() as connection:
        await office.casework.fire_due(connection, NINE)
    auditor = Auditor(sqlite_state, lambda: office.registry, "city", now=lambda: NINE + timedelta(minutes=2))

    assert await auditor.audit() == []
    assert auditor.last_pass is not None


async def test_where_a_unit_has_nobody_the_collectors_own_people_hear_of_it(
    sqlite_state: Store, office: "Office"
) -> None:
    await open_incident(sqlite_state, office, unit="lonely", asset=None)
    auditor = Auditor(sqlite_state, lambda: office.registry, "city", now=lambda: NINE + timedelta(minutes=2))
    await auditor.audit()

    assert await told(sqlite_state) == [("li", "alarm_not_fired")]


async def test_where_nobody_can_be_reached_the_journal_still_says_it(
    sqlite_state: Store, office: "Office"
) -> None:
    await open_incident(sqlite_state, office)
    auditor = Auditor(
        sqlite_state,
        lambda: office.registry,
        "city",
        now=lambda: NINE + timedelta(minutes=2),
        channels=("pigeon",),
    )
    await auditor.audit()
    await auditor.audit()

    assert await told(sqlite_state) == []
    assert await findings(sqlite_state) == ["alarm_not_fired"]


async def test_the_auditor_does_not_talk_about_its_own_words(sqlite_state: Store, office: "Office") -> None:
    await open_incident(sqlite_state, office)
    now = [NINE + timedelta(minutes=2)]
    auditor = Auditor(sqlite_state, lambda: office.registry, "city", now=lambda: now[0])
    await auditor.audit()
    async with sqlite_state.write() as connection:
        await connection.execute(sa.update(schema.alarms).values(state="fired"))
    now[0] += HOUR

    assert await auditor.audit() == []


async def test_a_database_that_is_away_ends_no_auditor(
    sqlite_state: Store, office: "Office", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditor_module, "EVERY", timedelta(milliseconds=10))
    await open_incident(sqlite_state, office)
    away = [True]

    def now() -> datetime:
        if away:
            away.pop()
            raise StoreBusyError("away")
        return NINE + HOUR

    auditor = Auditor(sqlite_state, lambda: office.registry, "city", now=now)
    task = spawn("auditor", auditor.run(), lambda _name, _error: None)
    async with asyncio.timeout(10):
        await sqlite_state.changed.wait(sqlite_state.changed.count)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert auditor.failures == 1
    assert auditor.findings


async def test_people_are_told_of_a_filing_without_a_receipt(sqlite_state: Store, office: "Office") -> None:
    incident = await open_incident(sqlite_state, office)
    row = {"id": "f", "key": "f", "clock": "c", "obligation": "o", "recipient": "r", "way": "upstream"}
    row |= {"state": "waiting", "payload": {}, "incident": incident, "created_at": NINE, "next_at": NINE}
    async with sqlite_state.write() as connection:
        await office.casework.fire_due(connection, NINE + HOUR / 4)
        await connection.execute(sa.update(schema.notices).values(state="sent"))
        await connection.execute(sa.insert(schema.filings), row)
    auditor = Auditor(sqlite_state, lambda: office.registry, "city", now=lambda: NINE + HOUR / 3.5)

    assert [one.kind for one in await auditor.audit()] == ["filing_without_receipt"]
    assert (await told(sqlite_state))[-1] == ("wang", "filing_without_receipt")
    async with sqlite_state.read() as connection:
        payloads = (await connection.execute(sa.select(schema.notices.c.payload))).scalars().all()
    assert "filing:f" in payloads[-1]["body"]
