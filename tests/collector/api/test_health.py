import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientSession

from collector import shipped
from collector.api.health import STALE
from collector.store import schema
from tests.browser.watch_room import Room, a_node

CONFIGS = Path(str(shipped.configs_dir()))
PROMTOOL = shutil.which("promtool")
AFAR = {"X-Forwarded-For": "203.0.113.5"}
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="needs Debian's prometheus for promtool")


async def _metrics(room: Room) -> str:
    async with ClientSession(room.url) as session, session.get("/metrics") as answer:
        assert answer.status == 200
        return await answer.text()


def _promtool(*arguments: str, text: str = "") -> str:
    done = subprocess.run(
        [str(PROMTOOL), *arguments], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


async def test_the_process_is_alive_and_can_work(room: Room) -> None:
    async with ClientSession(room.url) as session:
        async with session.get("/healthz") as alive:
            assert (alive.status, await alive.text()) == (200, "ok\n")
        async with session.get("/readyz") as ready:
            assert await ready.json() == {"ready": True, "checks": {"database": "ok", "clock": "ok"}}


async def test_a_duty_clock_that_stands_still_is_not_ready(room: Room) -> None:
    stopped = room.clock() - STALE - timedelta(seconds=5)
    room.pulses["clock"] = lambda: stopped

    async with ClientSession(room.url) as session, session.get("/readyz") as answer:
        told = await answer.json()

    assert (answer.status, told["ready"]) == (503, False)
    assert "last ticked 15 s ago" in told["checks"]["clock"]


async def test_metrics_need_a_token_from_elsewhere(room: Room) -> None:
    bearer = {"Authorization": f"Bearer {await room.token('metrics')}"}
    async with ClientSession(room.url) as session:
        for headers, status in (({}, 200), (AFAR, 401), (AFAR | bearer, 200)):
            async with session.get("/metrics", headers=headers) as answer:
                assert answer.status == status, headers


async def test_metrics_count_what_is_in_the_database(room: Room) -> None:
    await room.open()
    text = await _metrics(room)

    assert 'fengsui_incidents_open{level="IV"} 1.0' in text
    assert 'fengsui_obligations{state="no_number"} 1.0' in text
    assert "fengsui_reports_received_total 7.0" in text


@needs_promtool
async def test_the_metrics_are_as_prometheus_wants_them(room: Room) -> None:
    await room.insert(schema.nodes, a_node(room.clock()))
    await room.open()

    _promtool("check", "metrics", text=await _metrics(room))


@needs_promtool
def test_the_shipped_rules_hold_and_fire_when_they_should() -> None:
    folder = CONFIGS / "prometheus"

    _promtool("check", "config", str(folder / "prometheus.yml"))
    _promtool("test", "rules", str(folder / "fengsui.rules.test.yml"))


async def test_rules_and_dashboard_speak_only_of_metrics_there_are(room: Room) -> None:
    await room.insert(schema.nodes, a_node(room.clock()))
    await room.open()
    there = set(re.findall(r"^# TYPE (fengsui_\w+)", await _metrics(room), re.MULTILINE))
    dashboard = msgspec.json.decode((CONFIGS / "grafana/fengsui-collector.json").read_bytes())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked.append((CONFIGS / "prometheus/fengsui.rules.yml").read_text("utf-8"))
    named = {name for text in asked for name in re.findall(r"\bfengsui_[a-z_]+", text)}
    plain = {re.sub(r"_(bucket|sum|count|total)$", "", name) for name in named}
    known = {re.sub(r"_total$", "", name) for name in there} | {"fengsui_commit_seconds"}

    assert plain - known == set()
