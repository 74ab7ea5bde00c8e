import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from msgspec import structs

from agent.budget import Budget
from agent.detection.eve import EveReader
from agent.detection.record import Seen
from agent.sources import Observation, SensorLogSettings, Suricata
from agent.sources.logs.sensorlog import Pace, SensorLog

Watching: TypeAlias = Any  # the fixtures of conftest.py
Eventually: TypeAlias = Any
OFTEN = Pace(look=0.02, save=0.05, idle_save=0.05)
START = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


def alert(number: int) -> str:
    inner = {"signature_id": number, "signature": "TEST", "category": "Misc Attack", "severity": 2}
    fields = {"timestamp": "2026-03-02T09:10:00.5+0800", "event_type": "alert", "src_ip": "203.0.113.9"}
    return json.dumps({**fields, "alert": inner}) + "\n"


class Host:
    """A folder of logs, and a source that is asked look by look."""

    def __init__(self, folder: Path) -> None:
        self.logs = folder / "log"
        self.state = folder / "state"
        self.logs.mkdir()
        self.state.mkdir()
        self.settings = SensorLogSettings(files=(f"{self.logs}/eve*.json",))

    def source(self) -> Suricata:
        return Suricata(self.settings, state=self.state, pace=OFTEN)

    def write(self, name: str, *numbers: int) -> None:
        with (self.logs / name).open("a") as file:
            file.writelines(alert(number) for number in numbers)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def of(number: int) -> Callable[[Observation], bool]:
    return lambda seen: seen.body.get("key") == f"suricata:{number}:203.0.113.9"


async def test_what_is_written_after_the_start_is_told_and_what_was_there_before_is_not(
    host: Host, watching: Watching, eventually: Eventually
) -> None:
    """At the pace that the product has."""
    host.write("eve.json", 1)
    async with watching(Suricata(host.settings, state=host.state), lambda: START) as listener:
        await eventually((host.state / "suricata.json").exists)
        host.write("eve.json", 2)
        await listener.until(of(2))

    assert not [one for one in listener.heard if of(1)(one)]


async def test_threaded_files_and_files_that_come_later_are_followed(
    host: Host, watching: Watching, eventually: Eventually
) -> None:
    host.write("eve.1.json")
    async with watching(host.source(), lambda: START) as listener:
        await eventually((host.state / "suricata.json").exists)
        host.write("eve.1.json", 1)
        host.write("eve.2.json", 2)
        await listener.until(of(1))
        await listener.until(of(2))


@pytest.mark.parametrize("new_name", ["eve-20260302.json", "eve.json.1"])
async def test_over_a_rotation_every_line_is_read_once(
    host: Host, watching: Watching, eventually: Eventually, new_name: str
) -> None:
    """A dated name is matched by the pattern itself, a numbered one is not."""
    host.write("eve.json", 1)
    async with watching(host.source(), lambda: START) as listener:
        await eventually((host.state / "suricata.json").exists)
        host.write("eve.json", 2)
        await listener.until(of(2))
        host.write("eve.json", 3)
        (host.logs / "eve.json").rename(host.logs / new_name)
        host.write("eve.json", 4)
        await listener.until(of(3))
        await listener.until(of(4))

    told = [one.body["key"] for one in listener.heard if one.kind == "incident"]
    assert sorted(told) == [f"suricata:{number}:203.0.113.9" for number in (2, 3, 4)]
    assert not [one for one in listener.heard if "lost" in one.body.get("why", "")]


async def test_a_restart_goes_on_from_the_place_and_the_count(
    host: Host, watching: Watching, eventually: Eventually
) -> None:
    async with watching(host.source(), lambda: START) as listener:
        await eventually((host.state / "suricata.json").exists)
        host.write("eve.json", 5)
        await listener.until(of(5))
        await eventually(lambda: b'troubles":{"suricata:5' in (host.state / "suricata.json").read_bytes())
    host.write("eve.json", 6)
    async with watching(host.source(), lambda: START) as again:
        await again.until(of(6))

    assert not [one for one in again.heard if of(5)(one) and not one.body["restored"]]


async def test_hostile_lines_are_counted_and_told_and_hide_nothing(
    host: Host, watching: Watching, eventually: Eventually
) -> None:
    source = host.source()
    now = START

    async with watching(source, lambda: now) as listener:
        await eventually((host.state / "suricata.json").exists)
        with (host.logs / "eve.json").open("ab") as file:
            file.write(b"[" * 100_000 + b"\n" + b"\xff\xfe\n" + b'{"x":"' + b"y" * 600_000 + b'"}\n')
        host.write("eve.json", 9)
        await listener.until(of(9))
        now = datetime(2026, 3, 2, 1, 12, tzinfo=UTC)
        gap = await listener.until(lambda seen: "lines refused" in seen.body.get("why", ""))

    assert gap.body["count"] >= 3


async def test_a_look_shows_the_end_of_the_logs_and_names_what_is_missing(host: Host) -> None:
    host.write("eve.json", 1, 1, 2)
    reading = await host.source().once(START)
    nothing = await Suricata(SensorLogSettings(files=("/nowhere/eve.json",)), state=None).once(START)

    assert [(one.body["key"], one.body["count"]) for one in reading.observations] == [
        ("suricata:1:203.0.113.9", 1),
        ("suricata:2:203.0.113.9", 1),
    ]
    assert nothing.observations == ()
    assert nothing.unreadable[0].why == "no such file"


async def test_a_broken_state_file_is_told_and_reading_goes_on(
    host: Host, watching: Watching, eventually: Eventually
) -> None:
    (host.state / "suricata.json").write_text("{")
    async with watching(host.source(), lambda: START) as listener:
        gap = await listener.until(lambda seen: seen.kind == "gap")
        await eventually(lambda: b'began":true' in (host.state / "suricata.json").read_bytes())
        host.write("eve.json", 1)
        await listener.until(of(1))

    assert "reading on from the ends" in gap.body["why"]


async def test_logs_that_are_not_there_make_it_blind_until_they_are(
    host: Host, watching: Watching, eventually: Eventually
) -> None:
    source = host.source()
    async with watching(source, lambda: START) as listener:
        gap = await listener.until(lambda seen: seen.kind == "gap")
        assert "no file fits" in source.blind
        host.write("eve.json", 1)
        await listener.until(of(1))
        await eventually(lambda: not source.blind)

    assert "no file fits" in gap.body["why"]


async def test_a_log_that_may_not_be_read_is_told_and_hides_no_other(
    host: Host, watching: Watching, eventually: Eventually
) -> None:
    (host.logs / "eve.9.json").symlink_to("eve.9.json")
    async with watching(host.source(), lambda: START) as listener:
        await eventually((host.state / "suricata.json").exists)
        host.write("eve.json", 1)
        (host.logs / "eve.1.json").mkdir()
        gap = await listener.until(lambda seen: "could not be read" in seen.body.get("why", ""))
        await listener.until(of(1))

    assert "eve.1.json" in gap.body["why"]


class Hanging(EveReader):
    """A reader that hangs at its first line, as if the file system were away."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def read(self, line: bytes, log: str = "") -> Seen:
        self.released.wait(10)
        return super().read(line, log)


async def test_a_look_that_hangs_and_comes_back_late_has_lost_nothing_and_told_nothing_twice(
    host: Host, watching: Watching, eventually: Eventually
) -> None:
    reader = Hanging()
    settings = structs.replace(host.settings, budget=Budget(stuck_after=0.2))
    source = SensorLog("suricata", lambda: reader, settings, state=host.state, pace=OFTEN)
    async with watching(source, lambda: START) as listener:
        await eventually((host.state / "suricata.json").exists)
        host.write("eve.json", 1, 2)
        await listener.until(lambda seen: "stuck" in seen.body.get("why", ""))
        reader.released.set()
        await listener.until(of(1))
        host.write("eve.json", 3)
        await listener.until(of(3))

    told = [one.body["count"] for one in listener.heard if one.kind == "incident"]
    assert told == [1, 1, 1]


async def test_a_pipe_in_place_of_a_log_is_told_and_hides_no_other(
    host: Host, watching: Watching, eventually: Eventually
) -> None:
    host.write("eve.2.json")
    os.mkfifo(host.logs / "eve.1.json")
    async with watching(host.source(), lambda: START) as listener:
        await eventually((host.state / "suricata.json").exists)
        host.write("eve.2.json", 2)
        await listener.until(of(2))
        await listener.until(lambda seen: "eve.1.json: is no regular file" in seen.body.get("why", ""))
