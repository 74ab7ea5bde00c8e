"""Every kind of event that a rule may ask for reaches it, from real files, programs and sockets."""

import asyncio
import json
import shutil
import socket
import sys
from contextlib import aclosing
from pathlib import Path

import pytest

from agent.budget import Budget
from agent.rules.events import Event
from agent.sources.logs import feeds
from agent.sources.logs.tail import Place
from agent.sources.rounds.runs import Runs

PYTHON = str(Path(sys.executable).resolve())
RUNS = Budget(cpu_seconds=60.0)
OFTEN = 0.05


async def first(batches: feeds.Batches, field: str, word: str) -> Event:
    """The first event whose field holds a word; every batch is asked for, as the source does."""
    async with asyncio.timeout(20), aclosing(batches):
        async for batch in batches:
            for event in batch:
                if word in (event.text(field) or ""):
                    return event
    raise AssertionError("the feed ended")


async def test_a_program_start_is_fed() -> None:
    found = asyncio.Event()

    async def start() -> None:
        while not found.is_set():
            argv = (sys.executable, "-c", "import time; time.sleep(0.3) # fed-program")
            child = await asyncio.create_subprocess_exec(*argv)
            await child.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(start())
        event = await first(feeds.starts(Runs("rules", RUNS), Path("/proc")), "CommandLine", "fed-program")
        found.set()

    assert event.log == "process"


async def test_a_logs_lines_are_fed_once_and_from_the_place_that_was_saved(tmp_path: Path) -> None:
    log, places = tmp_path / "audit.log", list[Place]()
    log.write_text('type=PATH msg=audit(1.1:1): name="/old"\n')

    batches = feeds.log(Runs("rules", RUNS), log, None, feeds.audit, places.append, every=OFTEN)
    async with asyncio.timeout(20), aclosing(batches):
        assert await anext(batches) == []
        with log.open("a") as out:
            out.write('type=PATH msg=audit(1.1:2): name="/new"\nno record\n')
        while not (batch := await anext(batches)):
            pass
        assert [event.fields["name"] for event in batch] == ["/new"]
        await anext(batches)

    with log.open("a") as out:
        out.write('type=PATH msg=audit(1.1:3): name="/after"\n')
    again = feeds.log(Runs("rules", RUNS), log, places[-1], feeds.audit, places.append, every=OFTEN)
    event = await first(again, "name", "/")
    assert event.fields["name"] == "/after"


@pytest.mark.parametrize("more", [0, 100_000])
async def test_a_line_is_asked_about_however_long_it_is(tmp_path: Path, more: int) -> None:
    """A path of 4 KiB that auditd writes in hexadecimal, and a line without bounds."""
    log = tmp_path / "audit.log"
    path = b"/tmp/\x01" + b"x" * 4090
    log.write_bytes(
        b"type=PATH msg=audit(1.1:1): name=" + path.hex().upper().encode() + b" " + b"y" * more + b"\n"
    )
    place = Place(log.stat().st_ino, 0)
    batches = feeds.log(Runs("rules", RUNS), log, place, feeds.audit, lambda _: None, every=OFTEN)

    assert (await first(batches, "name", "/tmp/")).fields["name"].startswith("/tmp/\x01xxx")


async def test_a_connection_is_fed_with_who_began_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            event = await first(
                feeds.connections(Runs("rules", RUNS), Path("/proc")), "DestinationPort", str(port)
            )

    assert (event.fields["DestinationIp"], event.fields["Initiated"]) == ("127.0.0.1", "true")
    assert event.fields["Image"] == PYTHON


async def test_a_file_in_a_folder_that_matters_is_fed_with_its_whole_name(tmp_path: Path) -> None:
    (tmp_path / "etc" / "cron.d").mkdir(parents=True)
    batches = feeds.files(Runs("rules", RUNS), tmp_path, every=OFTEN)
    async with asyncio.timeout(20), aclosing(batches):
        assert await anext(batches) == []
        (tmp_path / "etc" / "cron.d" / "a b").write_text("x")
        while not (batch := await anext(batches)):
            pass

    assert [event.fields["TargetFilename"] for event in batch] == ["/etc/cron.d/a b"]


async def test_the_journal_is_fed_with_its_cursor(tmp_path: Path) -> None:
    """journalctl is the far side here: a program that prints two entries as it would, and follows."""
    entries = [
        {"__CURSOR": f"s={n}", "SYSLOG_IDENTIFIER": "sshd", "MESSAGE": f"Failed {n}"} for n in range(2)
    ]
    script = tmp_path / "journalctl"
    lines = "\n".join(json.dumps(entry) for entry in entries)
    script.write_text(f"#!/bin/sh\ncat <<'END'\n{lines}\nEND\nexec sleep 60\n")
    script.chmod(0o755)
    shell = shutil.which("sh") or "sh"
    cursors: list[str] = []

    batches = feeds.journal_lines(
        Runs("rules", RUNS), [shell, str(script)], "", 0.0, cursors.append, every=OFTEN
    )
    async with asyncio.timeout(20), aclosing(batches):
        while not (batch := await anext(batches)):
            pass
        await anext(batches)

    assert [event.text("") for event in batch] == ["Failed 0", "Failed 1"]
    assert cursors == ["s=1"]


@pytest.mark.parametrize("line", [b"", b"   "])
def test_an_empty_line_is_no_event(line: bytes) -> None:
    assert feeds.syslog(line) is None
