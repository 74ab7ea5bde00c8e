"""A node's way out is counted in the district's register and seen in the city's: two whole collectors."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession, CookieJar

from collector.cli.demo.stage import DISTRICT

from .region import Region, risen

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
async def region(tmp_path: Path) -> AsyncIterator[Region]:
    async with risen(tmp_path) as made:
        yield made


async def days(region: Region, where: str) -> list[dict[str, Any]]:
    made = await region.ask(where, "token", "create", "--api", "viewer")
    url = f"http://127.0.0.1:{region.ports(where)['console']}/api/v1/exits/days"
    headers = {"Authorization": f"Bearer {made['token']}"}
    async with ClientSession(headers=headers) as session, session.get(url) as answer:
        assert answer.status == 200, await answer.text()
        return list((await answer.json())["items"])


async def page(region: Region, where: str, path: str) -> str:
    user = await region.ask(where, "user", "add", "looker", "--role", "viewer")
    url = f"http://127.0.0.1:{region.ports(where)['console']}"
    async with ClientSession(url, cookie_jar=CookieJar(unsafe=True)) as session:
        signed_in = {"name": "looker", "password": user["password"]}
        async with session.post("/sign-in", data=signed_in, headers={"Origin": url}) as answer:
            assert answer.status == 200, await answer.text()
        async with session.get(path) as answer:
            assert answer.status == 200
            return await answer.text()


async def test_what_a_district_counts_of_its_exits_stands_in_the_citys_register(region: Region) -> None:
    settings = region.agent("node")
    written = yaml.safe_load(settings.read_text())
    written["sources"]["exits"] = {"enabled": True}
    settings.write_text(yaml.safe_dump(written, allow_unicode=True))
    await region.enrol("node", await region.token())
    await region.wake("node")
    counted = "SELECT 1 FROM exit_days WHERE unit = ? AND nodes > 0"
    await region.until(lambda: region.rows("district", counted, DISTRICT))
    await region.begin_anew("district")  # its first heartbeat takes the register along at once
    below = "SELECT 1 FROM exit_days_below WHERE unit = ? AND nodes > 0"
    await region.until(lambda: region.rows("city", below, DISTRICT))

    (own,) = [day for day in await days(region, "district") if day["unit"] == DISTRICT]
    (told,) = [day for day in await days(region, "city") if day["unit"] == DISTRICT]
    figures = ("day", "declared", "observed", "unsanctioned", "nodes", "outside", "behind")
    assert {name: told[name] for name in figures} == {name: own[name] for name in figures}, json.dumps(told)
    assert told["nodes"] == 1
    assert "演示区大数据中心" in await page(region, "city", "/exits/register")
