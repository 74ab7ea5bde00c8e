"""All that makes and files reports goes by one casework and the files in use."""

from datetime import UTC, datetime

import msgspec

from collector.app.live import Live
from collector.app.reporting import Reporting
from collector.store.engine import Store
from tests.browser.watch_room import casework, open_incident

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)


async def test_an_incidents_reports_are_listed_and_printed(sqlite_state: Store, live: Live) -> None:
    work = casework(live.registry())
    incident = await open_incident(sqlite_state, work, NINE)
    reporting = Reporting(sqlite_state, live, work, channels=dict, clock=lambda: NINE)

    async with sqlite_state.read() as conn:
        report, *_ = await reporting.by_hand.reports(conn, incident, NINE)
    _, _, body = await reporting.printer.make(incident, "ocsf", clock=report.clock, language="zh", now=NINE)

    assert incident in str(msgspec.json.decode(body))
