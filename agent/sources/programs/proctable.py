"""The process table in one pass: what every detection on processes shares, in about 30 µs a process.

Of every process `stat` and the link `exe` are read, and nothing else; arguments, descriptors and connections
are asked of the few that something speaks against. A process may end between any two reads: then it was not
there.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

_TICK = os.sysconf("SC_CLK_TCK")
_KERNEL_THREAD = 0x00200000
_DELETED = " (deleted)"
_MAX_STAT = 4096
_MAX_ARGUMENTS = 4096
_MAX_NET = 16 * 1024 * 1024
_LISTEN = 10
_MOST = 65536


class Process(Struct, frozen=True):
    """One process as the kernel's table has it.

    Fields:
        name: What it calls itself (15 bytes, its own choice).
        program: The file it runs; empty where that may not be read.
        deleted: That file has no name any more.
        cpu_seconds: Taken since its start.
        started: Seconds between the host's boot and its start.
    """

    pid: int
    parent: int
    name: str
    program: str
    deleted: bool
    cpu_seconds: float
    started: float

    @property
    def base(self) -> str:
        """The name of its program without folders."""
        return self.program.rsplit("/", 1)[-1] or self.name


class Connection(NamedTuple):
    """One end of a connection in a process's own network."""

    protocol: str
    local_address: str
    local_port: int
    remote_address: str
    remote_port: int


class Connections(NamedTuple):
    """The connections of a network namespace by inode, and the ports somebody listens on."""

    by_inode: dict[int, Connection]
    listening: frozenset[int]


class Table:
    """One pass over /proc.

    Attributes:
        processes: By pid; kernel threads are left out.
        hidden: How many there are whose program may not be seen.
    """

    def __init__(self, proc: Path) -> None:
        """Read it.

        Raises:
            OSError: there is no process table.
        """
        self._proc = str(proc)
        self._networks: dict[str, Connections] = {}
        self.hidden = 0
        with os.scandir(proc) as found:
            pids = [entry.name for entry in found if entry.name.isdigit()][:_MOST]
        self.processes = {one.pid: one for pid in pids if (one := self._read(pid))}

    def _read(self, pid: str) -> Process | None:
        try:
            descriptor = os.open(f"{self._proc}/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
            try:
                text = os.read(descriptor, _MAX_STAT)
            finally:
                os.close(descriptor)
            head, _, tail = text.partition(b"(")
            name, _, rest = tail.rpartition(b")")
            fields = rest.split()
            if int(fields[6]) & _KERNEL_THREAD:
                return None
            program = self._program(pid)
            return Process(
                pid=int(head),
                parent=int(fields[1]),
                name=name.decode("utf-8", "replace"),
                program=program.removesuffix(_DELETED),
                deleted=program.endswith(_DELETED),
                cpu_seconds=(int(fields[11]) + int(fields[12])) / _TICK,
                started=int(fields[19]) / _TICK,
            )
        except (OSError, ValueError, IndexError, OverflowError):
            return None  # ended meanwhile

    def _program(self, pid: str) -> str:
        try:
            # A name is bytes; what is no UTF-8 is shown escaped, for it goes into JSON.
            return os.fsencode(os.readlink(f"{self._proc}/{pid}/exe")).decode("utf-8", "backslashreplace")  # noqa: PTH115 - speed
        except PermissionError:
            self.hidden += 1
            return ""
        except OSError:
            return ""

    def boot(self) -> datetime:
        """Return when the host was started.

        Raises:
            OSError: the kernel does not say.
        """
        with Path(self._proc, "stat").open("rb") as file:
            for line in file:
                if line.startswith(b"btime "):
                    return datetime.fromtimestamp(int(line.split()[1]), UTC)
        raise OSError(f"{self._proc}/stat has no btime")

    def begun(self, process: Process, now: datetime) -> datetime:
        """Return when a process was started; `now` where nobody can say."""
        try:
            return min(self.boot() + timedelta(seconds=process.started), now)
        except (OSError, ValueError, OverflowError):
            return now

    def arguments(self, pid: int) -> str:
        """Return a process's arguments as one line, cut; empty where they may not be read."""
        try:
            with Path(self._proc, str(pid), "cmdline").open("rb") as file:
                data = file.read(_MAX_ARGUMENTS)
        except OSError:
            return ""
        return data.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "backslashreplace")

    def uid(self, pid: int) -> int | None:
        """Return whose process it is."""
        try:
            return Path(self._proc, str(pid)).stat().st_uid
        except OSError:
            return None

    def stdio(self, pid: int) -> tuple[str, str, str]:
        """Return what a process has as standard input, output and error; empty for what it has not."""
        return (self._link(pid, "0"), self._link(pid, "1"), self._link(pid, "2"))

    def _link(self, pid: int, descriptor: str) -> str:
        try:
            return os.readlink(f"{self._proc}/{pid}/fd/{descriptor}")  # noqa: PTH115 - text is wanted
        except OSError:
            return ""

    def exists(self, pid: int, path: str) -> bool:
        """Say whether a path is there in the file system that a process sees."""
        return os.path.lexists(f"{self._proc}/{pid}/root{path}")

    def sockets(self, pid: int) -> Iterator[int]:
        """Yield the inodes of a process's sockets."""
        try:
            names = os.listdir(f"{self._proc}/{pid}/fd")  # noqa: PTH208 - names are wanted
        except OSError:
            return
        for name in names[:_MOST]:
            if (inode := socket_inode(self._link(pid, name))) is not None:
                yield inode

    def connections(self, pid: int) -> Connections:
        """Return the connections of the network a process is in, read once a pass."""
        network = self._network(pid)
        if network not in self._networks:
            self._networks[network] = self._connections(pid)
        return self._networks[network]

    def _network(self, pid: int) -> str:
        try:
            return os.readlink(f"{self._proc}/{pid}/ns/net")  # noqa: PTH115 - text is wanted
        except OSError:
            return str(pid)

    def _connections(self, pid: int) -> Connections:
        found: dict[int, Connection] = {}
        listening: set[int] = set()
        for protocol in ("tcp", "tcp6", "udp", "udp6"):
            try:
                with Path(self._proc, str(pid), "net", protocol).open("rb") as file:
                    text = file.read(_MAX_NET)
            except OSError:
                continue
            for line in text.splitlines()[1:]:
                row = read_row(protocol.removesuffix("6"), line.decode("ascii", "replace"))
                if row is None:
                    continue
                inode, state, connection = row
                if state == _LISTEN and protocol.startswith("tcp"):
                    listening.add(connection.local_port)
                elif connection.remote_port:
                    found[inode] = connection
        return Connections(found, frozenset(listening))


def read_row(protocol: str, line: str) -> tuple[int, int, Connection] | None:
    """Return inode, state and ends of a line of /proc/net/tcp (proc(5)); None for what is no such line.

    >>> read_row("tcp", "0: 0100007F:A1B2 097100CB:115C 01 0:0 0:0 0 0 0 4242 1 0")
    (4242, 1, Connection(protocol='tcp', local_address='127.0.0.1', local_port=41394, \
remote_address='203.0.113.9', remote_port=4444))
    """
    words = line.split()
    try:
        local, local_port = _end(words[1])
        remote, remote_port = _end(words[2])
        return int(words[9]), int(words[3], 16), Connection(protocol, local, local_port, remote, remote_port)
    except (IndexError, ValueError):
        return None


def _end(text: str) -> tuple[str, int]:
    """Return address and port; the address is written in words of the host's order."""
    words, _, port = text.partition(":")
    data = bytes.fromhex(words)
    if len(data) not in {4, 16}:
        raise ValueError(f"address of {len(data)} bytes")
    turned = b"".join(data[place : place + 4][::-1] for place in range(0, len(data), 4))
    address = ip_address(turned)
    return str(getattr(address, "ipv4_mapped", None) or address), int(port, 16)


def socket_inode(target: str) -> int | None:
    """Return the inode of a descriptor's link to a socket.

    >>> socket_inode("socket:[4242]"), socket_inode("pipe:[7]"), socket_inode("socket:[x]")
    (4242, None, None)
    """
    number = target.removeprefix("socket:[").removesuffix("]")
    return int(number) if target.startswith("socket:[") and number.isdecimal() else None
