"""What the agent's two large children need while they work: the YARA scanner and the packet capture.

    python benchmarks/children.py [--files 2000] [--packets 1000000] [--limit-mb 60]

The scanner is given real files by the malware source: this interpreter's own library and executables, and
one of 32 MB, the largest that is scanned. The capture child listens in a network namespace (root) to scans,
floods and DNS of many sources, as fast as a sender gets them out. Told is the highest proportional memory
(PSS), read each 50 ms, for what is shared with other processes is not theirs alone; beside it the kernel's
peak (RSS).
Exit 0 within the limit, 1 above, 3 the measurement is invalid (a child did not work).
"""

import argparse
import asyncio
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from agent_idle import children, pss_mb

from agent.capture.child import Job
from agent.clock import host_clock
from agent.sources.programs.malware import Malware, MalwareSettings

INVALID, ABOVE = 3, 1
_EVERY = 0.05
_SENDER = """
import random, socket, struct, sys, time
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("eth0", 0))
head = bytes.fromhex(sys.argv[1]) + bytes(6) + b"\\x08\\x00"
draw = random.Random(1)
def ip(proto, source, body):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, proto, 0)
    return head + source + bytes([10, 97, 0, 2]) + body
left = int(sys.argv[2])
while left:
    source = bytes([draw.choice((10, 198, 203)), *draw.randbytes(2), draw.randrange(1, 255)])
    if left % 3:
        port = draw.randrange(1, 65535)
        body = struct.pack("!HHIIBBHHH", 40000, port, 1, 0, 0x50, 2, 1024, 0, 0)
        packet = ip(6, source, body)
    else:
        name = b"".join(bytes([20]) + draw.randbytes(10).hex().encode() for _ in range(2))
        name += b"\\x07example\\x02cn\\0"
        query = struct.pack("!HHHHHH", 1, 0x100, 1, 0, 0, 0) + name + b"\\0\\x10\\0\\1"
        packet = ip(17, source, struct.pack("!HHHH", 5353, 53, 8 + len(query), 0) + query)
    try:
        link.send(head + packet)
    except BlockingIOError:
        time.sleep(0.001)
        continue
    left -= 1
"""


class Peak:
    """The highest memory of a process while it is watched."""

    def __init__(self) -> None:
        self.pss = self.rss = 0.0
        self.looks = 0

    def look(self, pid: int) -> None:
        """Read it once; a process that is gone changes nothing."""
        try:
            self.pss = max(self.pss, pss_mb(pid))
            status = Path(f"/proc/{pid}/status").read_text()
        except (OSError, LookupError):
            return
        line = next((one for one in status.splitlines() if one.startswith("VmHWM")), "VmHWM: 0 kB")
        self.rss = max(self.rss, int(line.split()[1]) / 1024)
        self.looks += 1


@contextmanager
def watched(peak: Peak) -> Iterator[None]:
    """Watch whatever children this process has."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_EVERY):
            for pid in children(os.getpid()):
                peak.look(pid)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def scan(folder: Path, files: int) -> tuple[Peak, str]:
    """Let the malware source scan real files."""
    library = Path(sysconfig.get_paths()["stdlib"])
    found = (path for path in library.rglob("*") if path.is_file() and not path.is_symlink())
    for number, path in zip(range(files), found, strict=False):
        shutil.copyfile(path, folder / f"{number}{path.suffix}")
    (folder / "largest.bin").write_bytes(os.urandom(32 * 1024 * 1024))
    (folder / "shell.php").write_text("<?php @eval($_POST['x']); ?>")
    settings = MalwareSettings(enabled=True, folders=(str(folder),))
    peak = Peak()
    with watched(peak):
        reading = asyncio.run(Malware(settings, state=None).once(host_clock().now()))
    hits = sum(observation.kind == "incident" for observation in reading.observations)
    return peak, f"{files} files and one of 32 MB, {hits} incidents" if hits else ""


def capture(packets: int) -> tuple[Peak, str]:
    """Let the capture child hear a flood of scans and names from many sources."""
    name = f"fc{os.getpid() % 100000}"
    run("ip", "netns", "add", name)
    inside = ("ip", "netns", "exec", name)
    try:
        run("ip", "-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
        run("ip", "-n", name, "address", "add", "10.97.0.2/8", "dev", "eth1")
        for link in ("lo", "eth0", "eth1"):
            run("ip", "-n", name, "link", "set", link, "up")
        hardware = run(*inside, "cat", "/sys/class/net/eth1/address").strip().replace(":", "")
        child = subprocess.Popen(
            [*inside, sys.executable, "-m", "agent.capture.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(msgspec.json.encode(Job(interface="eth1")) + b"\n")
        child.stdin.flush()
        peak, told = Peak(), [0]
        reader = threading.Thread(
            target=lambda: told.__setitem__(0, sum(b"told" in line for line in child.stdout))
        )
        reader.start()
        sender = subprocess.Popen([*inside, sys.executable, "-c", _SENDER, hardware, str(packets)])
        while sender.poll() is None:
            peak.look(child.pid)
            time.sleep(_EVERY)
        for _ in range(int(15 / _EVERY)):
            peak.look(child.pid)
            time.sleep(_EVERY)
        child.stdin.close()
        child.wait(20)
        reader.join()
        return peak, f"{packets} packets, {told[0]} reports" if told[0] else ""
    finally:
        run("ip", "netns", "del", name)


def run(*words: str) -> str:
    """Run a command and return what it printed."""
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=30).stdout


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--limit-mb", type=float, default=60.0)
    args = parser.parse_args()
    print(f"machine  {platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}")
    print(f"python   {platform.python_version()} ({sys.executable})")
    print(f"command  {' '.join(sys.argv)}")
    with tempfile.TemporaryDirectory() as folder:
        results = {"scanner": scan(Path(folder), args.files), "capture": capture(args.packets)}
    for name, (peak, what) in results.items():
        told = what or "nothing was found"
        print(f"{name:8s} PSS {peak.pss:5.1f} MB, RSS {peak.rss:5.1f} MB at most ({told})")
    if not all(what and peak.looks for peak, what in results.values()):
        print("invalid: a child did not work")
        return INVALID
    worst = max(peak.pss for peak, _ in results.values())
    print(f"limit    {args.limit_mb:g} MB: {'kept' if worst <= args.limit_mb else 'MISSED'}")
    return 0 if worst <= args.limit_mb else ABOVE


if __name__ == "__main__":
    sys.exit(main())
