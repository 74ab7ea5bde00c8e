"""A drill of a district with its city, two real collectors: nothing goes up before a person agrees."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.cli.demo.receiver import Receiver
from collector.cli.demo.stage import DISTRICT, Stage
from collector.cli.demo.troupe import Troupe

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


class Region:
    """A city and a district below it, each a process; the command line is how people work on them."""

    def __init__(self, folder: Path) -> None:
        self.stage = Stage(folder, "zh")
        self.troupe = Troupe(folder / "logs")
        self.subjects: list[str] = []
        self.receiver = Receiver(lambda _, subject: self.subjects.append(subject))

    async def ask(self, where: str, *words: str) -> Any:  # noqa: ANN401 - JSON
        config = ("--config", str(self.stage.settings(where)), "--json")
        return json.loads(await self.troupe.ask("fengsui-collector", *words, *config))

    async def rise(self) -> None:
        self.stage.build(await self.receiver.start())
        await self.start("city")
        made = await self.ask("city", "token", "create", "--unit", DISTRICT, "--kind", "collector")
        ports = json.loads((self.stage.state("city") / "ports.json").read_text())
        superior = ("--superior", f"https://127.0.0.1:{ports['agents']}", "--token", made["token"])
        await self.troupe.ask(
            "fengsui-collector", "join", "--config", str(self.stage.settings("district")), *superior
        )
        await self.start("district")

    async def start(self, name: str) -> None:
        await self.troupe.start(name, "fengsui-collector", "run", "--config", str(self.stage.settings(name)))
        await self.until((self.stage.state(name) / "ports.json").exists)

    def rows(self, where: str, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self.stage.database(where)}?mode=ro", uri=True) as conn:
            return conn.execute(query).fetchall()

    async def until(self, look: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever was looked for
        async with asyncio.timeout(60):
            while not (found := look()):
                self.troupe.check()
                await asyncio.sleep(0.1)
        return found

    async def drill(self) -> str:
        at = datetime.now(UTC).isoformat()  # noqa: TID251 - the collectors run by the host's clock
        script = self.stage.folder / "drill.yaml"
        script.write_text(SCRIPT)
        planned = await self.ask("district", "drill", "schedule", str(script), "--at", at, "--superior")
        return str(planned["id"])


@pytest.fixture
async def region(tmp_path: Path) -> AsyncIterator[Region]:
    made = Region(tmp_path / "region")
    try:
        await made.rise()
        yield made
    finally:
        await made.troupe.end()
        await made.receiver.stop()


async def test_district_and_city_drill_together_once_the_city_has_agreed(region: Region) -> None:
    first = await region.drill()
    await region.ask("district", "drill", "start", first)
    filed = "SELECT way, state FROM filings"
    await region.until(lambda: [row for row in region.rows("district", filed) if row[1] == "receipted"])
    assert region.rows("district", filed) == [("drill", "receipted")]
    assert region.rows("city", "SELECT number FROM received_filings") == []

    second = await region.drill()
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
