"""The kernel's socket table (sock_diag(7)): what `ss` reads, in about 3 ms for two thousand sockets."""

import socket
import struct
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from .message import NetlinkError, pack_attribute, stream
from .rtnetlink import address_text

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
ESTABLISHED, SYN_SENT, CLOSE, CLOSE_WAIT, LISTEN = 1, 2, 7, 8, 10
PROTOCOLS = {socket.IPPROTO_TCP: "tcp", socket.IPPROTO_UDP: "udp"}
# inet_diag_msg: family, state, timer, retrans; ports and addresses in network order; index; cookie;
# expires, rqueue, wqueue, uid, inode.
_MESSAGE = struct.Struct("=BBxx2s2s16s16sI8x12xII")
_MAPPED = bytes(10) + b"\xff\xff"
Wanted = Callable[[bytes], bool]


class Socket(Struct, frozen=True):
    """One socket; a v4-mapped IPv6 address is given as the IPv4 address it is."""

    protocol: str
    state: int
    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    index: int
    uid: int
    inode: int


def states(*wanted: int) -> int:
    """Return the bit mask of the states wanted."""
    return sum(1 << state for state in wanted)


def request(family: int, protocol: int, mask: int) -> bytes:
    """Return an inet_diag_req_v2 for all sockets of the states in `mask`."""
    return struct.pack("=BBBBI48x", family, protocol, 0, 0, mask)


_OP = struct.Struct("=BBH")
_CONDITION = struct.Struct("=BBxxi")
_JUMP, _REMOTE = 1, 8
_BYTECODE = 1


def leave_out(networks: Sequence[tuple[bytes, int]]) -> bytes:
    """Return the attribute by which the kernel leaves out sockets whose far address lies in a network.

    Each network (its first address and prefix length) is two operations of inet_diag's little machine:

        is the far address in it?   yes: the next operation     no: the one after the next
        jump behind the end (which refuses the socket)
    """
    code = b""
    for address, prefix in reversed(networks):
        family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
        condition = _CONDITION.pack(family, prefix, -1) + address
        size = _OP.size + len(condition)
        jump = _OP.pack(_JUMP, _OP.size, _OP.size + len(code) + 4)
        code = _OP.pack(_REMOTE, size, size + _OP.size) + condition + jump + code
    return pack_attribute(_BYTECODE, code) if code else b""


def _plain(family: int, data: bytes) -> bytes:
    if family == socket.AF_INET:
        return data[:4]
    return data[12:] if data.startswith(_MAPPED) else data


def _all(_: bytes) -> bool:
    return True


def decode_socket(payload: bytes, protocol: str, wanted: Wanted = _all) -> Socket | None:
    """Return the socket of an inet_diag message, None where its far address is not `wanted`.

    Raises:
        NetlinkError: damaged bytes.
    """
    if len(payload) < _MESSAGE.size:
        raise NetlinkError(f"socket of {len(payload)} bytes, expected at least {_MESSAGE.size}")
    family, state, sport, dport, source, target, index, uid, inode = _MESSAGE.unpack_from(payload)
    remote = _plain(family, target)
    if not wanted(remote):
        return None
    return Socket(
        protocol=protocol,
        state=state,
        local_address=address_text(_plain(family, source)),
        local_port=int.from_bytes(sport, "big"),
        remote_address=address_text(remote),
        remote_port=int.from_bytes(dport, "big"),
        index=index,
        uid=uid,
        inode=inode,
    )


def sockets(
    mask: int,
    wanted: Wanted = _all,
    protocols: tuple[int, ...] = tuple(PROTOCOLS),
    bytecode: bytes = b"",
) -> Iterator[Socket]:
    """Yield the sockets of the states in `mask` whose far address (4 or 16 bytes) is `wanted`.

    What `bytecode` (of `leave_out`) tells the kernel to leave out never gets here; `wanted` still decides.

    Raises:
        NetlinkError: the kernel refused, or its answer could not be read.
        OSError: no netlink socket here, or no answer.
    """
    for protocol in protocols:
        for family in (socket.AF_INET, socket.AF_INET6):
            for row in stream(
                NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, request(family, protocol, mask) + bytecode
            ):
                found = decode_socket(row.payload, PROTOCOLS[protocol], wanted)
                if found:
                    yield found
