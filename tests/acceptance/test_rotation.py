"""Both authorities of a region are replaced under running processes, and one node sleeps through it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.errors import PermanentError
from collector.trust.ca import Authority
from collector.trust.superior import read_superior
from wire.signed import digest_of

from .region import Region, risen

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
async def region(tmp_path: Path) -> AsyncIterator[Region]:
    async with risen(tmp_path) as made:
        yield made


async def take(region: Region, step: str, *wheres: str) -> None:
    """Take a step and start anew, the city first: the district looks up at its start."""
    command = ("fengsui-collector", "ca", step, "--config")
    await asyncio.gather(*(region.troupe.ask(*command, str(region.stage.settings(one))) for one in wheres))
    await asyncio.gather(*(region.troupe.stop(where) for where in wheres))
    for where in wheres:
        await region.start(where)


def trusted(region: Region, where: str) -> str:
    now = datetime.now(UTC)  # noqa: TID251 - the authority is there already
    return digest_of(Authority.at(region.stage.state(where), where, now).trusted)


async def until_behind(region: Region, where: str, expected: set[str]) -> None:
    """Wait until only these nodes do not trust what is to be trusted, by their own last word."""
    query = """
        SELECT id FROM nodes WHERE state = 'active' AND id NOT IN (
            SELECT node FROM node_facts WHERE kind = 'heartbeat' AND json_extract(body, '$.authorities') = ?
        )
    """
    await region.until(
        lambda: {row[0] for row in region.rows(where, query, trusted(region, where))} == expected
    )


def authorities(region: Region) -> str:
    superior = read_superior(region.stage.state("district"))
    assert superior is not None
    return superior.authorities


def last_seen(region: Region, node: str) -> Any:  # noqa: ANN401 - a column
    return region.rows("district", "SELECT last_seen FROM nodes WHERE id = ?", node)[0][0]


async def test_nobody_is_locked_out_by_a_new_authority_neither_awake_nor_asleep_nor_a_collector(
    region: Region,
) -> None:
    nodes = {}
    for name in ("awake", "asleep"):
        region.agent(name)
        await region.enrol(name, await region.token())
        await region.wake(name)
        nodes[name] = node = region.identity(name)["node"]
        await region.until(lambda node=node: last_seen(region, node))
    await region.troupe.stop("asleep")
    standing = await region.token()

    for step in ("rotate", "switch"):
        await take(region, step, "city", "district")
        await region.until(lambda: authorities(region) == trusted(region, "city"))
        await until_behind(region, "district", {nodes["asleep"]})
    told = await region.ask("district", "ca", "status")
    assert [node["id"] for node in told["behind"]] == [nodes["asleep"]]
    with pytest.raises(PermanentError, match="尚未换发证书"):
        await take(region, "retire", "district")

    await region.wake("asleep")
    region.agent("rebuilt")
    await region.enrol("rebuilt", standing)  # a token of before the rotation
    await region.wake("rebuilt")
    nodes["rebuilt"] = region.identity("rebuilt")["node"]
    await until_behind(region, "district", set())

    await take(region, "retire", "city", "district")
    at = {name: last_seen(region, node) for name, node in nodes.items()}
    for name, node in nodes.items():
        await region.until(lambda name=name, node=node: last_seen(region, node) > at[name])
    await until_behind(region, "district", set())
    await region.until(lambda: authorities(region) == trusted(region, "city"))
    assert {region.identity(name)["node"] for name in nodes} == set(nodes.values())
