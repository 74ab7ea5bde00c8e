"""A node goes on beside a collector put back to a backup: nothing it holds is lost, nothing comes twice."""

import json
import shutil
import socket
import sqlite3
from collections import Counter
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession

from agent.clock import host_clock
from agent.enrolment import Host, enrol
from collector.cli.demo.stage import Stage
from tests.faults.test_disk_full import child, city, command, notes, rows, stored, token, until
from wire.codec import IDENTITY, ZSTD, Codec, unpack
from wire.messages import Batch

CHILD = Path(__file__).with_name("agent_child.py")
_batches = Codec(Batch)


def at_one_port(stage: Stage) -> None:
    """The collector comes back where it was, as an operator's does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = yaml.safe_load(stage.settings("city").read_text())
    settings["listen"]["agents"]["port"] = port
    stage.settings("city").write_text(yaml.safe_dump(settings, allow_unicode=True))


async def answer(*words: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(await command("-m", "collector", *words, "--json"))
    return document


async def missing(console: str) -> int:
    async with ClientSession(console) as session, session.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return sum(
        int(float(line.split()[-1])) for line in lines if line.startswith("fengsui_reports_missing_total")
    )


def gaps(events: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(events)) as db:
        found = []
        for floor, body in db.execute("SELECT floor, stored FROM batch ORDER BY position"):
            packed = body.startswith(b"\x28\xb5\x2f\xfd")
            reports = _batches.decode(unpack(body, ZSTD if packed else IDENTITY)).reports
            found += [json.loads(bytes(one.body)) for one in reports if one.seq > floor and one.kind == "gap"]
    return found


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_node_ahead_of_a_restored_collector_loses_nothing_it_holds_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    """Backup under load; load goes on and is acknowledged; the disk is lost; restore; the node goes on."""
    stage, backup = Stage(tmp_path / "stage", "en"), tmp_path / "backup"
    stage.folder.mkdir()
    stage.build("http://127.0.0.1:9/notices")
    at_one_port(stage)
    said, node, config = tmp_path / "said", tmp_path / "node", str(stage.settings("city"))
    events = stage.state("city") / "events.db"
    async with AsyncExitStack() as load:
        async with city(stage, tmp_path / "log") as (first, _, url):
            await enrol(await token(stage), url, node, Host("web-1"), host_clock().now)
            await load.enter_async_context(child(said, str(CHILD), str(node), url, "load"))
            await until(lambda: len(notes(said)) > 50)
            told = await answer("backup", str(backup), "--config", config)
            at_backup = stored(backup / "databases" / "events.db")
            await until(lambda: len(stored(events)) > len(at_backup) + 100)
            first.kill()
            await first.wait()
        before = stored(events)
        shutil.rmtree(stage.state("city"))
        checked = await answer("restore", str(backup), "--check")
        await command("-m", "collector", "restore", str(backup), "--config", config)
        async with city(stage, tmp_path / "log") as (_, console, again):
            assert again == url
            since = len(notes(said))
            await until(lambda: len(notes(said)) > since + 50)
            await load.aclose()
            async with child(said, str(CHILD), str(node), url, "drain") as drain:
                assert await drain.wait() == 0
            counted = await missing(console)
            verified = await answer("audit", "verify", "--config", config)

    accepted, kept, gone = notes(said), stored(events), before - at_backup
    lost = accepted - kept
    assert told["journalled"]
    assert checked["ok"]
    assert verified["ok"]
    assert max(kept.values()) == 1
    assert at_backup - kept == Counter(), "what the backup held is here"
    assert lost - gone == Counter(), "only what this disk had acknowledged since is gone"
    assert counted == lost.total(), "and it is counted"
    assert [(gap["kind"], gap["count"]) for gap in gaps(events)] == [("any", lost.total())], "and told"
    assert rows(stage.state("city"), "SELECT count(*) FROM nodes WHERE cloned_at IS NOT NULL") == [(0,)]
    assert not (stage.state("city") / "restore.unfinished").exists()
