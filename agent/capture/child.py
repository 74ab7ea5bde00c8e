"""Captures in a process of its own: `python -m agent.capture.child`, fed with a `Job` on stdin.

    stdin    one line: the job as JSON; its end ends the process
    stdout   JSON lines: {"told": {"kind", "body"}} as found, {"status": {...}} every `STATUS_SECONDS`;
             what tells of a rest carries its seconds, `{"told": {"kind", "body", "rest"}}`;
             {"scans": [...]} with the status, what the next child should know of slow scans;
             {"named": {...}} when a name of the job's list was asked for, answered, or greeted by in TLS, and
             {"unread": {...}} when somebody greeted by what could not be read

What it may cost is held where it is spent. Memory is bounded by the kernel. When it takes more than its
share of a core over a window it has the kernel drop every packet until the cool-down is over, which costs
nothing, and says so.
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import msgspec
from msgspec import Struct

from ..clock import moment
from ..detection.loss import Counted, LossMeter
from ..detection.scans import Knocked
from ..detection.sensor import Told
from ..detection.tally import Tally
from ..detection.traffic import SOURCE, Traffic, TrafficSettings
from ..detection.webmail import Names, seen, unread
from . import sieve
from .cards import macs
from .live import drain
from .ring import Ring

STATUS_SECONDS = 10.0
WRONG = 2
_STEP_SECONDS = 1.0
# In a flood a step ends earlier: what it counts by contact is memory.
_STEP_PACKETS = 50_000
_WAIT_MS = 100
_LOSS_SECONDS = 10.0


class Job(Struct, frozen=True, kw_only=True):
    """What to capture.

    Fields:
        interface: Its name; empty: all but the loopback.
        ring_megabytes: Of kernel memory for packets that wait.
        memory_bytes: Of the process's own memory.
        cpu_share: Of one core, over `window` seconds; more, and it rests for `cool_down`.
        rest: Seconds of a cool-down that an earlier child began.
        scans: Who met which doors that did not open, as an earlier child counted.
        webmail_names, webmail_ignore: The names of public webmail by service, and those that do not count.
    """

    interface: str = ""
    ring_megabytes: int = 8
    memory_bytes: int = 128 * 1024 * 1024
    cpu_share: float = 0.2
    window: float = 10.0
    cool_down: float = 60.0
    rest: float = 0.0
    loss_threshold: float = 0.001
    traffic: TrafficSettings = TrafficSettings()
    scans: list[Knocked] = []
    webmail_names: dict[str, list[str]] = {}
    webmail_ignore: tuple[str, ...] = ()


class Status(Struct, frozen=True, kw_only=True):
    """How it goes: CPU time and packets since the start, and whether it rests."""

    cpu_seconds: float
    packets: int
    lost: int
    resting: bool


class Purse:
    """The share of a core, and whether it is overdrawn.

    >>> purse = Purse(0.2, 10.0, 60.0)
    >>> purse.spent(0.0, 0.0), purse.spent(10.0, 1.9), purse.spent(20.0, 4.0)
    (False, False, True)
    >>> purse.resting(79.0), purse.resting(80.0)
    (True, False)
    """

    def __init__(self, share: float, window: float, cool_down: float, rest: float = 0.0) -> None:
        self._share = share
        self._window = window
        self._cool_down = cool_down
        self._begin = (0.0, 0.0)
        self._until = rest

    def spent(self, at: float, cpu: float) -> bool:
        """Take a reading of the clock and of the CPU time; say whether the window was overdrawn just now."""
        begin, before = self._begin
        if at - begin < self._window:
            return False
        self._begin = (at, cpu)
        if cpu - before <= self._share * (at - begin):
            return False
        self._until = at + self._cool_down
        return True

    def resting(self, at: float) -> bool:
        """Say whether the cool-down is not over."""
        return at < self._until


class Capture:
    """The loop between ring and detections."""

    def __init__(
        self,
        job: Job,
        ring: Ring,
        write: Callable[[bytes], None],
        cards: Callable[[], frozenset[bytes]] = frozenset,
    ) -> None:
        """Take what is to be done and with what; `cards` tells the MACs that this host has now."""
        self._job = job
        self._ring = ring
        self._write = write
        self._cards = cards
        self._traffic = Traffic(job.traffic, job.scans)
        self._traffic.know(cards())
        self._webmail = Names(job.webmail_names, job.webmail_ignore)
        self._meter = LossMeter(job.loss_threshold)
        self._purse = Purse(job.cpu_share, job.window, job.cool_down, job.rest)
        self._tally = Tally()
        self._seen, self._lost = 0, 0
        self._scans = job.scans
        self._resting = self._purse.resting(0.0)

    def run(self, stop: int, now: Callable[[], datetime]) -> None:
        """Capture until the descriptor `stop` has something to read or is closed."""
        begun = stepped = told = measured = time.monotonic()
        self._purse.spent(0.0, time.process_time())
        if self._resting:
            self._ring.attach(sieve.nothing())
            self._say_status()
        self._meter.note("", Counted(now(), 0, 0))
        while not self._ring.wait(_WAIT_MS, stop):
            drain(self._ring, self._tally)
            at = time.monotonic()
            if at - stepped >= _STEP_SECONDS or self._tally.packets >= _STEP_PACKETS:
                self._step(at - stepped, now())
                self._mind_the_purse(at - begun, now())
                stepped = at
            if at - measured >= _LOSS_SECONDS:
                self._measure(now())
                measured = at
            if at - told >= STATUS_SECONDS:
                self._traffic.know(self._cards())
                self._say_status()
                told = at
        drain(self._ring, self._tally)
        self._step(max(0.001, time.monotonic() - stepped), now())
        self._measure(now())
        self._say_status()

    def _step(self, seconds: float, at: datetime) -> None:
        tally, self._tally = self._tally, Tally()
        for told in self._traffic.step(tally, seconds, at):
            self._tell(told)
        for row in seen(tally, self._webmail):
            self._write(msgspec.json.encode({"named": row}) + b"\n")
        for missed in unread(tally, self._webmail):
            self._write(msgspec.json.encode({"unread": missed}) + b"\n")

    def _measure(self, at: datetime) -> None:
        """Tell what the kernel had no room for: what was not seen is no proof that nothing happened."""
        seen, lost = self._ring.statistics()
        self._seen, self._lost = self._seen + seen, self._lost + lost
        if loss := self._meter.note("", Counted(at, self._seen, self._lost)):
            self._tell(Told("gap", loss.gap(SOURCE)))
            for told in self._traffic.note(loss.finding(SOURCE)):
                self._tell(told)

    def _mind_the_purse(self, at: float, now: datetime) -> None:
        if self._resting and not self._purse.resting(at):
            self._ring.attach(sieve.interesting(hellos=bool(self._webmail)))
            self._resting = False
            self._say_status()
        elif self._purse.spent(at, time.process_time()) and not self._resting:
            self._ring.attach(sieve.nothing())
            self._resting = True
            rest = self._job.cool_down
            why = f"overdrawn: more than {self._job.cpu_share:.0%} of a core; no packet for {rest:g} s"
            over = moment(now + timedelta(seconds=rest))
            body = {"kind": "incident", "count": None, "from": moment(now), "to": over, "why": why}
            self._tell(Told("gap", body), rest)
            self._say_status()

    def _tell(self, told: Told, rest: float = 0.0) -> None:
        line = {"kind": told.kind, "body": told.body, "rest": rest}
        self._write(msgspec.json.encode({"told": line}) + b"\n")

    def _say_status(self) -> None:
        status = Status(
            cpu_seconds=round(time.process_time(), 3),
            packets=self._seen,
            lost=self._lost,
            resting=self._resting,
        )
        self._write(msgspec.json.encode({"status": status}) + b"\n")
        if (scans := self._traffic.scans()) != self._scans:
            self._scans = scans
            self._write(msgspec.json.encode({"scans": scans}) + b"\n")


def main(source: BinaryIO, out: int, complain: Callable[[str], object]) -> int:
    """Capture as stdin asks; return the exit code."""
    job = msgspec.json.decode(source.readline(), type=Job)
    resource.setrlimit(resource.RLIMIT_DATA, (job.memory_bytes, job.memory_bytes))
    with suppress(OSError):  # a sandbox may forbid even this
        os.nice(5)

    def write(line: bytes) -> None:
        while line:
            line = line[os.write(out, line) :]

    try:
        code = sieve.interesting(hellos=bool(job.webmail_names))
        with Ring(job.interface, job.ring_megabytes, code) as ring:
            Capture(job, ring, write, macs).run(source.fileno(), _now)
    except BrokenPipeError:
        return 0
    except OSError as error:
        where = job.interface or "all interfaces"
        complain(f"{where}: {error.strerror or error} (needs CAP_NET_RAW)")
        return WRONG
    return 0


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - this process's own edge


if __name__ == "__main__":
    raise SystemExit(main(sys.stdin.buffer, sys.stdout.fileno(), sys.stderr.write))
