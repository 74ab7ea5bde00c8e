from collections.abc import Awaitable, Callable
from typing import Any

from collector.store import schema
from tests.browser.watch_room import Room, a_received

Ask = Callable[..., Awaitable[tuple[int, Any]]]


async def test_a_filing_is_told_with_what_was_sent(room: Room, ask: Ask) -> None:
    incident = await room.open()
    await room.runner.work()

    _, found = await ask(f"/api/v1/filings?incident={incident}")
    [filing] = found["items"]
    _, alone = await ask(f"/api/v1/filings/{filing['id']}")

    assert (filing["state"], filing["receipt"]) == ("waiting", None)
    assert alone["payload"]["obligation"] == "cn-informatization/report"


async def test_received_reports_are_told_newest_receipt_first(room: Room, ask: Ask) -> None:
    now = room.clock()
    await room.insert(schema.received_filings, a_received(now), a_received(now, unit="district-hospital"))

    _, all_of_them = await ask("/api/v1/filings/received")
    _, hospital = await ask("/api/v1/filings/received?unit=district-hospital")

    assert [one["number"] for one in all_of_them["items"]] == [2, 1]
    assert [one["unit"] for one in hospital["items"]] == ["district-hospital"]
