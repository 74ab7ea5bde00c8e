"""A drill of a district with its city, two real collectors: nothing goes up before a person agrees."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from .region import Region

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SCRIPT = """
name: {zh: 市区联合演练, en: joint drill}
form: live
scope: region
kind: comprehensive
lasts: 1h
events:
  - at: 0m
    incident:
      class: NAWEBMOD
      asset: demo-portal
      title: {zh: 首页被篡改, en: home page tampered with}
"""


async def schedule(region: Region) -> str:
    at = datetime.now(UTC).isoformat()  # noqa: TID251 - the collectors run by the host's clock
    script = region.stage.folder / "drill.yaml"
    script.write_text(SCRIPT)
    planned = await region.ask("district", "drill", "schedule", str(script), "--at", at, "--superior")
    return str(planned["id"])


@pytest.fixture
async def region(tmp_path: Path) -> AsyncIterator[Region]:
    made = Region(tmp_path / "region")
    try:
        await made.rise()
        yield made
    finally:
        await made.end()


async def test_district_and_city_drill_together_once_the_city_has_agreed(region: Region) -> None:
    first = await schedule(region)
    await region.ask("district", "drill", "start", first)
    filed = "SELECT way, state FROM filings"
    await region.until(lambda: [row for row in region.rows("district", filed) if row[1] == "receipted"])
    assert region.rows("district", filed) == [("drill", "receipted")]
    assert region.rows("city", "SELECT number FROM received_filings") == []

    second = await schedule(region)
    waiting = f"SELECT state FROM announced_drills WHERE id = '{second}'"  # noqa: S608 - our own id
    assert await region.until(lambda: region.rows("city", waiting)) == [("waiting",)]
    decided = await region.ask("city", "drill", "accept", second)
    assert decided["items"][0]["state"] == "accepted"
    known = f"SELECT 1 FROM drills WHERE id = '{second}' AND superior = 'accepted'"  # noqa: S608 - our own id
    await region.until(lambda: region.rows("district", known))
    await region.ask("district", "drill", "start", second)
    received = "SELECT drill, json_extract(payload, '$.incident.title') FROM received_filings"
    assert await region.until(lambda: region.rows("city", received)) == [(second, "【演练】首页被篡改")]
    receipts = "SELECT json_extract(receipt, '$.drill') FROM filings WHERE way = 'upstream'"
    assert await region.until(lambda: [row for row in region.rows("district", receipts) if row[0]]) == [
        (second,)
    ]

    assert (await region.ask("district", "drill", "end", second))["state"] == "done"
    told = [subject for subject in region.subjects if "自查" not in subject]  # the auditor's are real
    assert told
    assert [subject for subject in told if "【演练】" not in subject] == []
