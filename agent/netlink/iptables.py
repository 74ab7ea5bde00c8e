"""The rules of the old iptables (not over nftables), read as iptables-save reads them: two getsockopt calls.

    GET_INFO     name                -> where the built-in chains begin, and how large the table is
    GET_ENTRIES  name, that size     -> entry, entry, entry ...

    IPv4 entry   +16 in, +32 out (names of links, 16 each)  +48 +64 their masks  +83 inversions
                 +88 offset of the target  +90 offset of the next entry
    IPv6 entry   +64 in, +80 out  +96 +112 masks  +132 inversions  +140 target  +142 next
    target       +0 its size  +2 name (29)  +32 data

A user's chain begins with an entry whose target is ERROR and whose data is the chain's name. Asking for a
table makes it (and its hooks) where there is none, so only tables are asked for that the kernel already has.
Needs CAP_NET_ADMIN. The layouts are those of linux/netfilter_ipv4/ip_tables.h and its IPv6 sister.
"""

import ctypes
import os
import socket
import struct
from collections.abc import Iterator

from msgspec import Struct

from .message import NetlinkError

_GET_INFO, _GET_ENTRIES = 64, 65
_INFO = struct.Struct("=32sI5I5III")
_ENTRIES_HEAD = 40  # the name, the size, and four bytes that align what follows
_TARGET_NAME, _TARGET_DATA = slice(2, 31), slice(32, 62)
_NAME_BYTES = 16
_HOOKS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
_INVERTS_OUT = 0x02
_MAX_BYTES = 16 * 1024 * 1024
_MAX_ENTRIES = 200_000


class Family(Struct, frozen=True):
    """What differs between IPv4 and IPv6: names and where things stand in an entry."""

    name: str
    domain: int
    level: int
    out: int
    inversions: int
    target: int
    elements: int


IPV4 = Family("ip", socket.AF_INET, socket.SOL_IP, 32, 83, 88, 112)
IPV6 = Family("ip6", socket.AF_INET6, 41, 80, 132, 140, 168)


class Rule(Struct, frozen=True):
    """A rule: its chain, what it does, the one link that it is for (empty: any, several, or all but one)."""

    chain: str
    target: str
    outgoing: str


def read(family: Family, table: str) -> tuple[Rule, ...]:
    """Return the rules of a table that exists.

    Raises:
        OSError: no such table, or no right to it.
        NetlinkError: it is too large, or what the kernel gave can't be read.
    """
    with socket.socket(family.domain, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as asked:
        head = table.encode().ljust(32, b"\0")
        info = _ask(asked, family, _GET_INFO, head.ljust(_INFO.size, b"\0"))
        size = int(_INFO.unpack(info)[-1])
        if size > _MAX_BYTES:
            raise NetlinkError(f"table {table} of {size} bytes, at most {_MAX_BYTES} are read")
        question = (head + struct.pack("=I", size)).ljust(_ENTRIES_HEAD + size, b"\0")
        entries = _ask(asked, family, _GET_ENTRIES, question)
    return tuple(decode(family, info, entries[_ENTRIES_HEAD:]))


def _ask(asked: socket.socket, family: Family, option: int, question: bytes) -> bytes:
    """Call getsockopt with a question in its buffer, which Python's own call cannot."""
    buffer = ctypes.create_string_buffer(question, len(question))
    length = ctypes.c_uint32(len(question))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.getsockopt(asked.fileno(), family.level, option, buffer, ctypes.byref(length)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return buffer.raw


def decode(family: Family, info: bytes, entries: bytes) -> Iterator[Rule]:
    """Yield the rules of a table.

    Raises:
        NetlinkError: damaged bytes.
    """
    if len(info) != _INFO.size:
        raise NetlinkError(f"information on a table of {len(info)} bytes, expected {_INFO.size}")
    _, valid, *begins = _INFO.unpack(info)
    chains = {begins[hook]: name for hook, name in enumerate(_HOOKS) if valid & 1 << hook}
    at, chain = 0, ""
    for _ in range(_MAX_ENTRIES):
        if at >= len(entries):
            return
        chain = chains.get(at, chain)
        entry, target, following = _entry(family, entries, at)
        name = _text(target[_TARGET_NAME])
        if name == "ERROR":
            chain = _text(target[_TARGET_DATA])
        else:
            yield Rule(chain, name, _outgoing(family, entry))
        at += following
    raise NetlinkError(f"more than {_MAX_ENTRIES} entries")


def _entry(family: Family, entries: bytes, at: int) -> tuple[bytes, bytes, int]:
    """Return an entry, its target and the offset of the next."""
    if at + family.elements > len(entries):
        raise NetlinkError(f"an entry of {len(entries) - at} bytes, its head has {family.elements}")
    target, following = struct.unpack_from("=HH", entries, at + family.target)
    if not family.elements <= target < following or at + following > len(entries):
        raise NetlinkError(f"an entry with its target at {target} and the next at {following}")
    entry = entries[at : at + following]
    return entry, entry[target:], following


def _outgoing(family: Family, entry: bytes) -> str:
    if entry[family.inversions] & _INVERTS_OUT:
        return ""
    name = _text(entry[family.out : family.out + _NAME_BYTES])
    mask_at = family.out + 2 * _NAME_BYTES
    mask = entry[mask_at : mask_at + _NAME_BYTES].rstrip(b"\0")
    return name if len(mask) > len(name) else ""  # a mask without the name's end stands for "ppp+"


def _text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("utf-8", "replace")
