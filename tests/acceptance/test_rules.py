"""A rule that an operator writes down is evaluated on every node; what it finds is an incident."""

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.cli.demo.stage import DISTRICT, Stage
from collector.cli.demo.troupe import Troupe

RULE = """
title: marked program
title_zh: 带标记的程序
id: 0b2f7f5e-aaaa-4c1b-9a55-6a4b0f3c1d01
logsource: {product: linux, category: process_creation}
detection: {one: {CommandLine|contains: beacon-of-the-rules}, condition: one}
level: high
fengsui_class: NABACKDOOR
"""
pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="process events need root"),
]


class District:
    """A district's collector and one node below it, started by their console scripts."""

    def __init__(self, folder: Path) -> None:
        self.stage = Stage(folder, "zh")
        self.troupe = Troupe(folder / "logs")
        self.stage.build("http://127.0.0.1:9")
        settings = self.stage.settings("district")
        written = yaml.safe_load(settings.read_text())
        settings.write_text(yaml.safe_dump({**written, "sigma": "rules"}, allow_unicode=True))
        (folder / "rules").mkdir()
        (folder / "rules" / "marked.yml").write_text(RULE)

    async def start(self) -> None:
        file = str(self.stage.settings("district"))
        ports = self.stage.state("district") / "ports.json"
        await self.troupe.start("district", "fengsui-collector", "run", "--config", file)
        await self.until(ports.exists)
        url = f"https://127.0.0.1:{json.loads(ports.read_text())['agents']}"
        words = ("token", "create", "--config", file, "--unit", DISTRICT, "--kind", "agent", "--json")
        token = json.loads(await self.troupe.ask("fengsui-collector", *words))["token"]
        agent = ("--config", str(self.stage.settings("agent")))
        await self.troupe.ask("fengsui-agent", "enrol", *agent, "--collector", url, "--token", token)
        await self.troupe.start("agent", "fengsui-agent", "run", *agent)

    async def until(self, look: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is looked for
        async with asyncio.timeout(60):
            while not (found := look()):
                self.troupe.check()
                await asyncio.sleep(0.05)
            return found

    def incident(self) -> dict[str, Any] | None:
        query = "SELECT class, title, evidence FROM incidents WHERE class = 'NABACKDOOR'"
        with closing(sqlite3.connect(self.stage.database("district"), timeout=10)) as database:
            database.row_factory = sqlite3.Row
            row = database.execute(query).fetchone()
        return dict(row) if row else None


async def test_a_rule_written_at_the_collector_finds_a_program_on_the_node(tmp_path: Path) -> None:
    district = District(tmp_path)
    try:
        await district.start()
        await district.until((district.stage.agent_state / "program.json").exists)

        async def run_marked() -> bool:
            argv = (sys.executable, "-c", "import time; time.sleep(0.2) # beacon-of-the-rules")
            await (await asyncio.create_subprocess_exec(*argv)).wait()
            return district.incident() is not None

        async with asyncio.timeout(60):
            while not await run_marked():
                district.troupe.check()
        found = district.incident()
    finally:
        await district.troupe.end()

    assert found is not None
    evidence = found["evidence"]
    assert "带标记的程序" in json.dumps(json.loads(evidence), ensure_ascii=False)
    assert "beacon-of-the-rules" in evidence
