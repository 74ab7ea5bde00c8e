import asyncio
import json
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agent.clock import host_clock
from agent.sources.logs.bursts import BurstSettings
from agent.sources.logs.logins import Logins, LoginsSettings
from agent.sources.port import Observation

Watching = Callable[..., AbstractAsyncContextManager[Any]]
Eventually = Callable[[Callable[[], object]], Coroutine[Any, Any, None]]
Started = Callable[[], Coroutine[Any, Any, None]]
FIVE = BurstSettings(by_source=5, by_account=1000, slow_by_account=1000)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "var/log/auth.log"
    path.parent.mkdir(parents=True)
    path.write_text("")
    (tmp_path / "state").mkdir()
    return path


def source(tmp_path: Path, **settings: Any) -> Logins:  # noqa: ANN401 - fields of the settings
    return Logins(LoginsSettings(bursts=FIVE, **settings), state=tmp_path / "state", root=tmp_path)


def attack(log: Path, times: int, address: str = "203.0.113.9") -> None:
    at = host_clock().now().isoformat()
    with log.open("a") as file:
        for number in range(times):
            file.write(f"{at} portal sshd[8]: Failed password for root from {address} port {number} ssh2\n")


def incident(one: Observation) -> bool:
    return one.kind == "incident"


@pytest.fixture
def started(tmp_path: Path, eventually: Eventually) -> Callable[[], Coroutine[Any, Any, None]]:
    """Wait until the first start has noted where the log ends."""
    return lambda: eventually((tmp_path / "state/logins.json").exists)


def begin(tmp_path: Path, log: Path) -> None:
    """Let the source begin at the log's beginning."""
    place = {"place": {"inode": log.stat().st_ino, "offset": 0}}
    (tmp_path / "state/logins.json").write_text(json.dumps({"version": 1, "kept": place}))


def rotate(log: Path) -> None:
    log.rename(log.with_name("auth.log.1"))
    log.touch()


async def test_a_burst_in_auth_log_is_an_incident(
    tmp_path: Path, log: Path, watching: Watching, started: Started
) -> None:
    async with watching(source(tmp_path)) as heard:
        await started()
        attack(log, 7)
        report = await heard.until(incident)

        assert report.body["key"] == "logins:source:203.0.113.9"
        assert report.body["class"] == "NACRED"
        assert report.source == "logins"


async def test_a_burst_in_a_log_by_rfc_5424_is_an_incident(
    tmp_path: Path, log: Path, watching: Watching, started: Started
) -> None:
    """rsyslog's RSYSLOG_SyslogProtocol23Format."""
    async with watching(source(tmp_path)) as heard:
        await started()
        failed = "Failed password for root from 203.0.113.9 port"
        with log.open("a") as file:
            for number in range(6):
                at = host_clock().now().isoformat()
                file.write(f"<38>1 {at} portal sshd 8 - -  {failed} {number} ssh2\n")

        assert (await heard.until(incident)).body["key"] == "logins:source:203.0.113.9"


async def test_a_burst_whose_lines_are_of_another_zone_is_one_all_the_same(
    tmp_path: Path, log: Path, watching: Watching, started: Started
) -> None:
    """Two tries at a time: within a look they are no burst, and by their times they were over long ago."""
    async with watching(source(tmp_path)) as heard:
        await started()
        # What waits at the start may be old; from the next look on it is fresh.
        await asyncio.sleep(0)
        for number in range(4):
            at = host_clock().now().astimezone() - timedelta(hours=8)
            failed = "Failed password for root from 203.0.113.9 port"
            with log.open("a") as file:
                for port in (2 * number, 2 * number + 1):
                    file.write(f"{at:%b} {at.day:2} {at:%H:%M:%S} portal sshd[8]: {failed} {port} ssh2\n")
            await asyncio.sleep(1.1)  # the source looks, and ticks once a second
        report = await heard.until(incident)

    assert report.body["key"] == "logins:source:203.0.113.9"
    assert any("behind" in one.body["why"] for one in heard.heard if one.kind == "gap")


async def test_a_log_that_nobody_can_read_is_told_and_not_passed_over(
    tmp_path: Path, log: Path, watching: Watching, started: Started
) -> None:
    minutes = count()
    begun = host_clock().now()
    async with watching(source(tmp_path), lambda: begun + timedelta(minutes=2 * next(minutes))) as heard:
        await started()
        with log.open("ab") as file:
            file.write(
                "Mar  2 01:10:02 portal sshd[8]: x\nMar  2 01:10:03 portal sshd[8]: y\n".encode("utf-16")
            )
        gap = await heard.until(lambda one: one.kind == "gap" and one.body["count"])

    assert gap.body["count"] >= 2
    assert "no syslog line" in gap.body["why"]
    reading = await source(tmp_path).once(host_clock().now())
    assert "lines refused" in reading.unreadable[0].why


async def test_a_burst_that_spans_a_restart_is_counted_whole(
    tmp_path: Path, log: Path, watching: Watching, started: Started
) -> None:
    async with watching(source(tmp_path)) as heard:
        await started()
        attack(log, 5)
        await heard.until(incident)
    attack(log, 5, "203.0.113.10")
    async with watching(source(tmp_path)) as heard:
        report = await heard.until(incident)

        assert report.body["key"] == "logins:source:203.0.113.10"
        assert report.body["count"] == 5


async def test_spraying_that_spans_a_restart_is_counted_whole(
    tmp_path: Path, log: Path, watching: Watching, started: Started
) -> None:
    """Thirteen accounts before it and twelve after it, one try each, two or three from each address."""

    def spray(accounts: range) -> None:
        with log.open("a") as file:
            for number in accounts:
                at, address = host_clock().now().isoformat(), f"203.0.113.{number % 10}"
                failed = f"Failed password for clerk{number} from {address} port {number} ssh2"
                file.write(f"{at} portal sshd[8]: {failed}\n")

    async with watching(source(tmp_path)) as heard:
        await started()
        spray(range(13))
        attack(log, 5, "198.51.100.1")
        await heard.until(incident)
    async with watching(source(tmp_path)) as heard:
        spray(range(13, 25))
        report = await heard.until(incident)

        assert (report.body["key"], report.body["accounts_total"]) == ("logins:spray", 25)


async def test_a_report_that_did_not_become_durable_is_told_again(
    tmp_path: Path, log: Path, watching: Watching
) -> None:
    begin(tmp_path, log)
    attack(log, 6)

    class FullDisk:
        def __init__(self) -> None:
            self.asked = asyncio.Event()

        async def emit(self, _: Observation) -> None:
            self.asked.set()
            await asyncio.Event().wait()  # until the agent is killed

    disk = FullDisk()
    async with watching(source(tmp_path), listener=disk), asyncio.timeout(10):
        await disk.asked.wait()
    async with watching(source(tmp_path)) as heard:
        assert (await heard.until(incident)).body["count"] == 5


async def test_lines_after_a_rotation_are_counted_with_those_before(
    tmp_path: Path, log: Path, watching: Watching
) -> None:
    begin(tmp_path, log)
    async with watching(source(tmp_path)) as heard:
        attack(log, 3)
        rotate(log)
        attack(log, 2)

        assert (await heard.until(incident)).body["count"] == 5


async def test_a_damaged_state_is_a_gap_and_no_crash(tmp_path: Path, log: Path, watching: Watching) -> None:
    (tmp_path / "state/logins.json").write_text("{")
    async with watching(source(tmp_path)) as heard:
        gap = await heard.until(lambda one: one.kind == "gap")
        assert "logins.json" in gap.body["why"]
        attack(log, 5)
        await heard.until(incident)


async def test_once_tells_the_bursts_at_the_end_of_the_log_and_leaves_no_trace(
    tmp_path: Path, log: Path
) -> None:
    attack(log, 9)
    reading = await source(tmp_path).once(host_clock().now())

    assert [one.body["count"] for one in reading.observations] == [5]
    assert not (tmp_path / "state/logins.json").exists()


async def test_a_host_without_login_records_says_so(tmp_path: Path) -> None:
    settings = LoginsSettings(journalctl=("true",))
    reading = await Logins(settings, state=None, root=tmp_path).once(datetime(2026, 3, 2, tzinfo=UTC))

    assert reading.observations == ()
    assert "no auth.log or secure" in reading.unreadable[0].why


async def test_a_journalctl_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = LoginsSettings(read="journal", journalctl=("/nowhere/journalctl",))
    reading = await Logins(settings, state=None, root=tmp_path).once(datetime(2026, 3, 2, tzinfo=UTC))

    assert "No such file" in reading.unreadable[0].why


class Journald(NamedTuple):
    """A journald in a mount namespace of its own, and how to reach into it."""

    inside: tuple[str, ...]

    def attack(self, address: str) -> None:
        for number in range(5):
            line = f"Failed password for root from {address} port {number} ssh2"
            words = ["--socket", "/run/systemd/journal/dev-log", "-p", "authpriv.info", "-t", "sshd", line]
            subprocess.run([*self.inside, "logger", *words], check=True)


@pytest.fixture
def journald() -> Iterator[Journald]:
    server = Path("/usr/lib/systemd/systemd-journald")
    if not server.exists():
        pytest.skip("no systemd-journald on this machine")
    script = f"mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal /run/log/journal && exec {server}"
    with subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stderr=subprocess.DEVNULL) as process:
        inside = ("nsenter", f"--target={process.pid}", "--mount")
        ready = "until ls /run/log/journal/*/system.journal; do sleep 0.05; done"
        try:
            subprocess.run(
                ["timeout", "10", *_waiting(process.pid), *inside, "sh", "-c", ready],
                check=True,
                capture_output=True,
            )
            yield Journald(inside)
        finally:
            process.terminate()


def _waiting(pid: int) -> tuple[str, ...]:
    """Wait until the process lives in a mount namespace of its own, then go on."""
    own = (
        f'until [ "$(readlink /proc/{pid}/ns/mnt)" != "$(readlink /proc/self/ns/mnt)" ]; do sleep 0.05; done'
    )
    return ("sh", "-c", f'{own}; exec "$@"', "sh")


@pytest.mark.root
async def test_a_burst_in_the_journal_is_an_incident_and_its_cursor_is_kept(
    tmp_path: Path, journald: Journald, watching: Watching, started: Started
) -> None:
    (tmp_path / "state").mkdir()
    journal = (*journald.inside, "journalctl")
    follow = LoginsSettings(read="journal", journalctl=journal, bursts=FIVE)
    async with watching(Logins(follow, state=tmp_path / "state", root=tmp_path)) as heard:
        await started()
        await asyncio.to_thread(journald.attack, "2001:db8::9")
        report = await heard.until(incident)
        assert report.body["key"] == "logins:source:2001:db8::9"
    await asyncio.to_thread(journald.attack, "2001:db8::10")
    async with watching(Logins(follow, state=tmp_path / "state", root=tmp_path)) as heard:
        report = await heard.until(incident)
        assert report.body["key"] == "logins:source:2001:db8::10"
        assert report.body["count"] == 5

    reading = await Logins(follow, state=None, root=tmp_path).once(host_clock().now())
    assert len(reading.observations) == 2
