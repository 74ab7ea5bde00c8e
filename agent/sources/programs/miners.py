"""Programs that mine, by how they behave: pure over one pass of the process table.

    a name or arguments as the known miners have them     1, and 2 for a pool's address in the arguments
    a connection to a port that pools use                 1
    half a core or more since the last look               1

Two together are a miner. A busy server talks to no pool; a name alone is a name. Inside, services of every
kind use the ports of pools (9999, 5555, 4444): there a connection counts of a program that is named like a
miner, or that runs from where anybody may write or without a file, and of no other.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from typing import NamedTuple

from .proctable import Connection, Process, Table

_NAMES = re.compile(
    r"(?:xmrig|xmr-stak|xmr-node|minerd|cpuminer|cgminer|bfgminer|ethminer|nbminer|lolminer|teamredminer|phoenixminer"
    r"|nanominer|srbminer|ccminer|kdevtmpfsi|kinsing|sysrv|watchbog|cryptonight|randomx|(?<![a-z])(?:t-rex|gminer|ddgs))",
    re.IGNORECASE,
)
_POOL = re.compile(
    r"stratum\+?(?:tcp|ssl|tls)?://|--donate-level|--randomx|--coin[= ](?:monero|xmr)|cryptonight|--nicehash",
    re.IGNORECASE,
)
POOL_PORTS = frozenset(
    {
        1314,
        3032,
        3333,
        3334,
        3335,
        3336,
        3353,
        3357,
        4444,
        5555,
        5556,
        7777,
        9999,
        10128,
        10343,
        13333,
        14433,
        14444,
    }
    | {20128, 20535, 20536, 20580, 33333, 45560, 45700, 55555}
)
_ENOUGH = 2
_OPEN_TO_ALL = ("/tmp/", "/var/tmp/", "/dev/shm/", "/memfd:")  # noqa: S108 - looked for, not used


class Miner(NamedTuple):
    """A process that mines, what speaks for it, and the pool it talks to where that was seen."""

    process: Process
    signs: tuple[str, ...]
    connection: Connection | None


def miners(
    table: Table, shares: Mapping[int, float], busy: float, outside: Callable[[bytes], bool]
) -> Iterator[Miner]:
    """Yield the processes that mine.

    Args:
        table: The processes.
        shares: Of a core, by pid, since the last look.
        busy: The share from which a process counts as busy.
        outside: Says of an address whether it lies outside.
    """
    for process in table.processes.values():
        is_busy = shares.get(process.pid, 0.0) >= busy
        named = bool(_NAMES.search(process.base) or _NAMES.search(process.name))
        if not is_busy and not named:
            continue
        signs = ["busy"] * is_busy + ["name"] * named
        weight = len(signs)
        if _POOL.search(table.arguments(process.pid)):
            signs.append("arguments")
            weight += _ENOUGH
        odd = named or "arguments" in signs or process.deleted or process.program.startswith(_OPEN_TO_ALL)
        pool = _pool(table, process, (lambda _: True) if odd else outside)
        if pool:
            signs.append("pool")
            weight += 1
        if weight >= _ENOUGH:
            yield Miner(process, tuple(signs), pool)


def _pool(table: Table, process: Process, counts: Callable[[bytes], bool]) -> Connection | None:
    known = table.connections(process.pid).by_inode
    for inode in table.sockets(process.pid):
        connection = known.get(inode)
        if not connection or connection.remote_port not in POOL_PORTS:
            continue
        remote = ip_address(connection.remote_address)
        if not remote.is_loopback and counts(remote.packed):
            return connection
    return None
