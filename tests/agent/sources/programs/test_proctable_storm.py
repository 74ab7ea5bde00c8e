"""Processes that end between any two looks: a storm of them, and every reader of /proc goes on."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.actions.collect_evidence import _ITEMS
from agent.clock import host_clock
from agent.sources.programs.processes import Processes, ProcessesSettings
from agent.sources.programs.procfs import describe, pids, socket_owners, writers
from agent.sources.programs.proctable import Table
from agent.sources.programs.starts import Starts

PROC = Path("/proc")
SECONDS = 0.4


@contextmanager
def storm() -> Iterator[Callable[[], int]]:
    """Two parents whose children begin and end as fast as the kernel allows; says how many there were."""
    code = "import os\nwhile True:\n pid = os.fork()\n if not pid: os._exit(0)\n os.waitpid(pid, 0)\n"
    parents = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    first = _begun()
    try:
        yield lambda: _begun() - first
    finally:
        for parent in parents:
            parent.kill()
            parent.wait()


def _begun() -> int:
    """How many processes the kernel has begun since it started."""
    lines = Path("/proc/stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("processes "))


def _table() -> None:
    table = Table(PROC)
    for pid, process in list(table.processes.items())[-40:]:
        table.arguments(pid)
        table.stdio(pid)
        list(table.sockets(pid))
        table.connections(pid)
        table.begun(process, host_clock().now())


def _starts() -> None:
    starts = Starts(PROC)
    starts._known = starts._running()
    list(starts._swept())
    for pid in pids(PROC)[:40]:
        starts.describe(pid)
    starts.close()


def _owners() -> None:
    socket_owners({1, 2, 3}, PROC)
    writers(["/nowhere"], PROC)
    for pid in pids(PROC)[:40]:
        describe(PROC, pid)


def _source() -> None:
    source = Processes(ProcessesSettings(), state=None)
    source.look(host_clock().now(), source.notes_kind(), alone=False)


def _evidence() -> None:
    list(_ITEMS["processes"]())


@pytest.mark.parametrize("look", [_table, _starts, _owners, _source, _evidence], ids=lambda one: one.__name__)
def test_no_look_at_processes_fails_or_takes_long_while_they_come_and_go(look: Callable[[], None]) -> None:
    with storm() as begun:
        until = time.monotonic() + SECONDS
        looks, spent = 0, time.thread_time()
        while time.monotonic() < until or not looks:
            look()
            looks += 1
        spent = (time.thread_time() - spent) / looks
        storming = begun()

    assert storming > 100, "there was no storm"
    assert spent < 0.5
