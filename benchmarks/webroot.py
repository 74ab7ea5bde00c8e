"""What a web root of a million files costs the agent: memory and CPU of taking and of comparing it.

    python benchmarks/webroot.py [--files 1000000] [--flat] [--limit-mb 75] [--folder /dev/shm]

One process a step, so that each peak is its own: `accept`; then a comparison of the root as it is (`same`),
with every file touched (`touched`: all are read again and hold what they held), with as many files beside the
accepted ones (`flood`), and with every accepted file gone (`gone`). Peak is the process's own, Python and all
imports in it. Rests are left out: what a look costs counts, not how long it takes. Files are empty but for
every hundredth, in folders of a thousand, or all in one (`--flat`).
Exit 0: below the limit; 1: above; 3: the measurement is not valid (a comparison did not find what there is).
"""

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from agent.clock import host_clock
from agent.sources.pages import comparison
from agent.sources.pages.baseline import Baseline
from agent.sources.pages.webroot import WebRoot, accept

INVALID, ABOVE = 3, 1


def fill(top: Path, count: int, *, name: str, flat: bool) -> None:
    """Make the files of a site."""
    for number in range(count):
        folder = top if flat else top / f"{number // 1000:04}"
        if number % 1000 == 0:
            folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}{number:07}.html"
        if number % 100:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
        else:
            path.write_text(f"<p>{number}</p>\n")


def touch(top: Path) -> None:
    """Give every file other times."""
    for folder, _, names in os.walk(top):
        for name in names:
            os.utime(Path(folder, name))


def _accept(root: WebRoot, state: Path) -> int:
    return accept(root, state)


def _compare(root: WebRoot, state: Path) -> int:
    comparison.time.sleep = lambda _: None  # type: ignore[attr-defined]
    baseline = Baseline(Path(root.path), state)
    look = comparison.Comparison(root, baseline, host_clock().now()).look()
    return look.beyond.count + sum(change is not None for change in look.seen.values())


def _measured(work: Callable[[WebRoot, Path], int], root: WebRoot, state: Path, answer: Connection) -> None:
    found = work(root, state)
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    answer.send((found, peak / 1024, time.process_time()))


def step(work: Callable[[WebRoot, Path], int], root: WebRoot, state: Path) -> tuple[int, float, float]:
    """Return what a step found, its peak in MB and its CPU seconds, of a process of its own."""
    context = get_context("spawn")
    mine, its = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(work, root, state, its))
    process.start()
    its.close()
    try:
        return mine.recv()  # type: ignore[no-any-return]
    finally:
        process.join()


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--flat", action="store_true")
    parser.add_argument("--limit-mb", type=float, default=75.0)
    parser.add_argument("--folder", default=None)
    args = parser.parse_args()
    print(f"machine  {platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}")
    print(f"python   {platform.python_version()} ({sys.executable})")
    print(f"command  {' '.join(sys.argv)}")
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        return measure(Path(folder), args.files, flat=args.flat, limit=args.limit_mb)


def measure(folder: Path, files: int, *, flat: bool, limit: float) -> int:
    """Measure each step and print it; return the exit code."""
    top, state = folder / "www", folder / "state"
    root = WebRoot(path=str(top), max_files=2 * files)
    worst, valid = 0.0, True

    def tell(name: str, work: Callable[[WebRoot, Path], int], expected: int) -> None:
        nonlocal worst, valid
        found, peak, seconds = step(work, root, state)
        worst, valid = max(worst, peak), valid and found == expected
        print(
            f"{name:8s} found {found:8d} of {expected:8d}  peak {peak:6.1f} MB  {seconds:6.1f} s CPU",
            flush=True,
        )

    fill(top, files, name="page", flat=flat)
    tell("accept", _accept, files)
    tell("same", _compare, 0)
    touch(top)
    tell("touched", _compare, 0)
    fill(top, files, name="spam", flat=flat)
    tell("flood", _compare, files)
    shutil.rmtree(top)
    top.mkdir()
    tell("gone", _compare, files)
    if not valid:
        print("invalid: a comparison did not find what there is")
        return INVALID
    print(f"limit    {limit:g} MB: {'kept' if worst < limit else 'MISSED'}")
    return 0 if worst < limit else ABOVE


if __name__ == "__main__":
    sys.exit(main())
