"""What one sweep of the socket table costs an agent: 2 000 sockets, 300 processes, in CPU time.

    python benchmarks/sweep.py [--sockets 2000] [--processes 300] [--rounds 31] [--limit-ms 10]

One connection in a hundred goes outside. Judged are `steady` (nothing is new since the last sweep) and `news`
(since the last one, a connection to the outside was opened, and its process is found). `first`, once at the
agent's start, is told beside: every outside connection is new, and up to all processes are looked through.
Exit 0: below the limit; 1: too slow; 3: the measurement is not valid (sockets or processes could not be had,
or what was counted is not what was opened).
"""

import argparse
import os
import platform
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from agent.clock import host_clock
from agent.netlink import inet_diag
from agent.sources.network.sockets import Ledger, Sockets
from agent.sources.ranges import Ranges

OUTSIDE = "127.9.9.9"
INVALID, SLOW = 3, 1


class InvalidError(RuntimeError):
    """The figure would mean nothing."""


@contextmanager
def processes(count: int) -> Iterator[None]:
    """Have at least `count` processes on this machine."""
    running = sum(name.isdigit() for name in os.listdir("/proc"))  # noqa: PTH208 - counting, no paths
    children = [subprocess.Popen(["sleep", "3600"]) for _ in range(max(0, count - running))]
    try:
        yield
    finally:
        for child in children:
            child.kill()
            child.wait()


class Site:
    """The connections of a busy host, both ends in this process."""

    def __init__(self, stack: ExitStack, count: int) -> None:
        self._stack = stack
        self._servers = [
            stack.enter_context(socket.create_server((host, 0), backlog=1024))
            for host in ("127.0.0.1", OUTSIDE)
        ]
        self.outside = 0
        for number in range(count):
            self.connect(outside=number % 100 == 0)

    def connect(self, *, outside: bool) -> None:
        """Open one more."""
        server = self._servers[outside]
        self._stack.enter_context(socket.create_connection(server.getsockname()))
        self._stack.enter_context(server.accept()[0])
        self.outside += outside


# Everything but 127.1.0.0 to 127.255.255.255, so that nothing leaves the machine and nothing else counts.
INSIDE = (
    "0.0.0.0/2",
    "64.0.0.0/3",
    "96.0.0.0/4",
    "112.0.0.0/5",
    "120.0.0.0/6",
    "124.0.0.0/7",
    "126.0.0.0/8",
    "127.0.0.0/16",
    "128.0.0.0/1",
    "::/0",
)


def measure(site: Site, sockets: int, rounds: int) -> dict[str, list[float]]:
    """Return the CPU milliseconds of each sort of sweep.

    Raises:
        InvalidError: a sweep did not see what was opened, or not who opened it.
    """
    source = Sockets()
    source._ranges = Ranges(INSIDE, never_outside=())  # noqa: SLF001 - loopback is else never outside
    now = host_clock().now()
    figures: dict[str, list[float]] = {"first": [], "steady": [], "news": []}
    for _ in range(rounds):
        ledger = Ledger()
        for sort, taken in figures.items():
            if sort == "news":
                site.connect(outside=True)
            before = time.process_time()
            source.sweep(ledger, now)
            taken.append((time.process_time() - before) * 1e3)
        rows = ledger.rows()
        if sum(row["count"] for row in rows) != site.outside or {row["pid"] for row in rows} != {os.getpid()}:
            raise InvalidError(f"of {site.outside} connections outside the sweep saw {rows}")
    table = sum(1 for _ in inet_diag.sockets(inet_diag.states(inet_diag.ESTABLISHED)))
    if table < sockets:
        raise InvalidError(f"the kernel's table has {table} sockets, expected {sockets}")
    return figures


def told(name: str, figures: list[float]) -> str:
    """Return a figure with its spread."""
    low, high = min(figures), max(figures)
    return (
        f"{name:8s} {statistics.median(figures):6.2f} ms CPU (median of {len(figures)}, {low:.2f}-{high:.2f})"
    )


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockets", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--limit-ms", type=float, default=10.0)
    args = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, args.sockets + 2 * args.rounds + 200), hard))
        with ExitStack() as stack, processes(args.processes):
            figures = measure(Site(stack, args.sockets // 2), args.sockets, args.rounds)
            count = sum(name.isdigit() for name in os.listdir("/proc"))  # noqa: PTH208 - likewise
    except (OSError, ValueError, InvalidError) as error:
        print(f"invalid: {error}")
        return INVALID
    print(f"machine  {platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}")
    print(f"python   {platform.python_version()} ({sys.executable})")
    print(f"command  {' '.join(sys.argv)}")
    print(f"host     {args.sockets} sockets, {count} processes")
    for sort, taken in figures.items():
        print(told(sort, taken))
    worst = max(statistics.median(figures[sort]) for sort in ("steady", "news"))
    print(f"limit    {args.limit_ms:g} ms: {'kept' if worst < args.limit_ms else 'MISSED'}")
    return 0 if worst < args.limit_ms else SLOW


if __name__ == "__main__":
    sys.exit(main())
