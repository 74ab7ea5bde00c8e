"""What the collector's rules describe becomes an incident of this node, once, and over restarts."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.detection.repeats import RepeatSettings
from agent.sources.logs.rules import Rules, RulesSettings
from agent.sources.port import Reading
from tests.agent.sources.conftest import Watching
from tests.wire.test_program import rule
from wire.program import Text, There

PYTHON = str(Path(sys.executable).resolve())
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CRON = rule(
    Text("TargetFilename", "starts", ["/etc/cron.d/"]),
    id="cron",
    title="cron job planted",
    title_zh="植入计划任务",
    incident_class="NABACKIMPL",
    severity="high",
    log="file",
)


def host(tmp_path: Path) -> tuple[Path, Path]:
    root, state = tmp_path / "root", tmp_path / "state"
    (root / "etc" / "cron.d").mkdir(parents=True)
    (root / "var" / "log").mkdir(parents=True)
    state.mkdir()
    return root, state


async def test_without_a_program_nothing_is_opened_and_nothing_said(tmp_path: Path) -> None:
    root, state = host(tmp_path)
    source = Rules(state=state, root=root)

    assert await source.once(NOW) == Reading()
    assert source.cpu_seconds == 0


async def test_a_match_is_an_incident_with_rule_event_and_both_titles(
    tmp_path: Path, watching: Watching
) -> None:
    root, state = host(tmp_path)
    source = Rules(state=state, root=root)
    source.use([CRON])
    async with watching(source) as listener:
        for number in range(100):
            (root / "etc/cron.d/x").write_text(str(number))
            if listener.heard:
                break
            await asyncio.sleep(0.05)
        told = await listener.until(lambda one: one.kind == "incident")

    body = told.body
    assert (body["class"], body["severity_hint"], body["target"]) == ("NABACKIMPL", "high", "/etc/cron.d/x")
    assert body["key"] == "sigma:cron:/etc/cron.d/x"
    (item, *_) = body["evidence"]
    assert (item["title"], item["title_zh"]) == ("cron job planted", "植入计划任务")
    assert item["event"] == {"TargetFilename": "/etc/cron.d/x"}


async def test_a_new_program_takes_over_while_it_watches(tmp_path: Path, watching: Watching) -> None:
    root, state = host(tmp_path)
    log = root / "var/log/auth.log"
    log.write_text("Mar  2 09:00:00 web sshd[1]: before\n")
    source = Rules(state=state, root=root)
    source.use([CRON])
    async with watching(source) as listener:
        source.use([rule(Text("", "has", ["planted"]), id="line", log="line", service="sshd")])
        for number in range(100):
            with log.open("a") as out:
                out.write(f"Mar  2 09:10:00 web sshd[1]: planted {number}\n")
            if listener.heard:
                break
            await asyncio.sleep(0.05)
        told = await listener.until(lambda one: one.kind == "incident")

    assert told.body["evidence"][0]["event"]["message"].startswith("planted")
    assert (state / "rules.json").exists()


async def test_a_rule_that_matches_everything_is_silenced_and_named(
    tmp_path: Path, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.sources.logs.rules._TICK", 0.1)
    monkeypatch.setattr("agent.rules.engine.MINUTE", 0.2)
    root, state = host(tmp_path)
    log = root / "var/log/auth.log"
    log.touch()
    source = Rules(RulesSettings(most=3), state=state, root=root)
    source.use([rule(There("", yes=True), id="all", log="line")])
    async with watching(source) as listener:
        for _ in range(100):
            with log.open("a") as out:
                out.writelines(f"Mar  2 09:10:00 web x: {number}\n" for number in range(50))
            if any(one.kind == "gap" for one in listener.heard):
                break
            await asyncio.sleep(0.05)
        told = await listener.until(lambda one: one.kind == "gap")

    assert told.body["why"] == source.blind == "rule all: matched more than 3 times in a minute"
    assert told.body["count"] >= 47
    assert sum(one.kind == "incident" for one in listener.heard) <= 3


async def test_once_asks_about_every_program_that_runs_now() -> None:
    source = Rules(RulesSettings(repeats=RepeatSettings(repeat=30)), state=None)
    source.use([rule(Text("CommandLine", "has", ["once-marker"]), id="mark")])
    sleeper = "import time; time.sleep(30) # once-marker"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", sleeper)
    reading = await source.once(NOW)
    child.kill()
    await child.wait()

    (seen,) = reading.observations
    assert seen.body["evidence"][0]["event"]["ProcessId"] == str(child.pid)
    assert seen.body["target"] == PYTHON


async def test_a_damaged_state_file_is_told_and_reading_begins_at_the_ends(
    tmp_path: Path, watching: Watching
) -> None:
    root, state = host(tmp_path)
    (state / "rules.json").write_text("{")
    async with watching(Rules(state=state, root=root)) as listener:
        told = await listener.until(lambda one: one.kind == "gap")

    assert "rules.json" in told.body["why"]
    assert told.body["why"].endswith("; reading on from the ends of the logs")


async def test_a_place_that_could_not_be_saved_is_told_as_that_and_the_log_is_read_on(
    tmp_path: Path, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.sources.logs.rules._TICK", 0.1)
    root, state = host(tmp_path)
    log = root / "var/log/auth.log"
    log.touch()
    (state / "rules.json.new").mkdir()
    source = Rules(state=state, root=root)
    source.use([rule(Text("", "has", ["planted"]), id="line", log="line", service="sshd")])
    async with watching(source) as listener:
        for number in range(100):
            with log.open("a") as out:
                out.write(f"Mar  2 09:10:00 web sshd[1]: planted {number}\n")
            if any(one.kind == "gap" for one in listener.heard):
                break
            await asyncio.sleep(0.05)
        told = await listener.until(lambda one: one.kind == "gap")
        await listener.until(lambda one: one.kind == "incident")

    assert "rules.json could not be saved: [Errno 21]" in told.body["why"]
    assert "could not be read" not in told.body["why"]
    assert source.blind == ""
