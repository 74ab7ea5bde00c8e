"""Waiting for a time, for the incident, for a receipt."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from collector.actions.port import Done, Failed, Skipped, Waiting
from collector.actions.wait import LOOK_AGAIN, Wait
from collector.plans.model import Text
from collector.plans.model import Wait as WaitStep
from collector.store.clocks import clocks_of
from collector.store.filings import add_filing
from collector.store.schema import filings
from wire.messages import VERSION, Filing

if TYPE_CHECKING:
    from tests.collector.actions.conftest import Visit

REPORT = "cn-informatization/report"


async def look(visit: "Visit", after: timedelta = timedelta(0), **step: Any) -> Any:  # noqa: ANN401 - any result
    asked = WaitStep(title=Text(zh="等", en="wait"), owner="duty", **step)
    context = visit.of(asked)
    async with visit.store.write() as conn:
        return await Wait(visit.surroundings).begin(conn, replace(context, now=context.now + after))


async def test_a_length_of_time_counts_from_when_the_step_was_ready(visit: "Visit") -> None:
    since = visit.of(WaitStep(title=Text(zh="等", en="w"), length=timedelta(1))).since
    minute = timedelta(minutes=1)

    assert await look(visit, length=minute) == Waiting(since + minute)
    assert await look(visit, timedelta(seconds=59), length=minute) == Waiting(since + minute)
    assert await look(visit, minute, length=minute) == Done()


async def test_a_time_is_waited_for_until_it_has_come(visit: "Visit") -> None:
    until = datetime.fromisoformat("2026-03-02T09:40:00+08:00")

    assert await look(visit, until=until) == Waiting(until)
    assert await look(visit, timedelta(minutes=30), until=until) == Done()


@pytest.mark.parametrize(("state", "over"), [("open", False), ("contained", True), ("closed", True)])
async def test_an_incidents_state_or_a_later_one_ends_the_wait(
    visit: "Visit",
    state: Any,  # noqa: ANN401 - a literal
    over: bool,  # noqa: FBT001 - the expected answer
) -> None:
    assert visit.incident is not None
    visit.incident = replace(visit.incident, state=state)

    result = await look(visit, incident="contained")

    assert isinstance(result, Done if over else Waiting)


async def test_a_receipt_ends_the_wait_for_it(visit: "Visit") -> None:
    now = visit.of(WaitStep(title=Text(zh="等", en="w"), receipt=REPORT)).now
    assert await look(visit, receipt=REPORT) == Waiting(now + LOOK_AGAIN)
    await queue(visit, now)
    assert await look(visit, receipt=REPORT) == Waiting(now + LOOK_AGAIN)

    async with visit.store.write() as conn:
        await conn.execute(filings.update().values(state="receipted", receipt_at=now))

    assert await look(visit, receipt=REPORT) == Done({"receipt_at": now.isoformat()})


async def test_a_refused_report_fails_the_wait_for_its_receipt(visit: "Visit") -> None:
    await queue(visit, visit.of(WaitStep(title=Text(zh="等", en="w"), receipt=REPORT)).now)
    async with visit.store.write() as conn:
        await conn.execute(filings.update().values(state="refused", result={"why": "not this year"}))

    assert await look(visit, receipt=REPORT) == Failed("the report was refused: not this year")


async def test_the_receipt_of_what_is_not_owed_is_not_waited_for(visit: "Visit") -> None:
    assert await look(visit, receipt="eu-nis2/early") == Skipped("eu-nis2/early is not owed")
    visit.incident = None
    assert isinstance(await look(visit, receipt=REPORT), Skipped)


async def queue(visit: "Visit", now: datetime) -> None:
    """The report is queued."""
    assert visit.incident is not None
    async with visit.store.write() as conn:
        clock = next(each for each in await clocks_of(conn, [visit.incident.id]) if each.obligation == REPORT)
        message = Filing(
            version=VERSION,
            key=f"{visit.incident.id}/{REPORT}",
            incident_id=visit.incident.id,
            unit="county",
            obligation=REPORT,
            recipient=clock.recipient,
            level=None,
            filed_at=now,
            due_at=None,
            complete=False,
            incident={},
            content={},
        )
        await add_filing(conn, message=message, clock=clock.id, way="upstream", actor="system", now=now)
