import os
import shutil
import struct
import subprocess
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.netlink.iptables import IPV4, IPV6, Family, Rule, decode, read
from agent.netlink.message import NetlinkError

OwnNetwork = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]
NAT = 0b11011  # PREROUTING, INPUT, OUTPUT, POSTROUTING


def entry(target: str, data: bytes = b"", out: str = "", mask: int = 0, inverted: int = 0) -> bytes:
    """An IPv4 entry as linux/netfilter_ipv4/ip_tables.h lays it out."""
    links = bytes(16) + out.encode().ljust(16, b"\0")
    masks = bytes(16) + (b"\xff" * mask).ljust(16, b"\0")
    address = bytes(16) + links + masks + struct.pack("=HBB", 0, 0, inverted)
    what = struct.pack("=H29sB", 32 + len(data), target.encode(), 0) + data
    return address + struct.pack("=IHHIQQ", 0, 112, 112 + len(what), 0, 0, 0) + what


CHAIN = entry("ERROR", b"tethered".ljust(32, b"\0"))
END = entry("ERROR", b"ERROR".ljust(32, b"\0"))
FIRST = entry("MASQUERADE", bytes(24), "usb0", 5)
ROWS = [
    FIRST,
    entry("SNAT", bytes(24), "ppp", 3),
    entry("MASQUERADE", bytes(24), "docker0", 8, inverted=2),
    CHAIN,
    entry("MASQUERADE", bytes(24)),
    END,
]
TABLE = b"".join(ROWS)


def info(*begins: int, valid: int = NAT) -> bytes:
    hooks = [*begins, *[0xFFFFFFFF] * (5 - len(begins))]
    return struct.pack("=32sI5I5III", b"nat", valid, *hooks, *[0] * 5, len(ROWS), len(TABLE))


INFO = info(0, 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFE, len(FIRST))


def test_rules_have_the_chain_they_stand_in_and_the_one_link_they_are_for() -> None:
    assert list(decode(IPV4, INFO, TABLE)) == [
        Rule("PREROUTING", "MASQUERADE", "usb0"),
        Rule("POSTROUTING", "SNAT", ""),
        Rule("POSTROUTING", "MASQUERADE", ""),
        Rule("tethered", "MASQUERADE", ""),
    ]


@pytest.mark.parametrize(
    ("head", "table", "why"),
    [
        (INFO[:-1], TABLE, "information"),
        (INFO, TABLE[:-1], "an entry"),
        (INFO, TABLE[:50], "an entry of 50 bytes"),
        (INFO, bytes(200), "its target at 0"),
    ],
)
def test_damaged_tables_are_refused(head: bytes, table: bytes, why: str) -> None:
    with pytest.raises(NetlinkError, match=why):
        list(decode(IPV4, head, table))


@given(st.sampled_from([IPV4, IPV6]), st.binary(max_size=400))
def test_garbage_is_refused_or_read_and_ends(family: Family, table: bytes) -> None:
    with suppress(NetlinkError):
        list(decode(family, INFO, table))


@given(st.integers(0, len(TABLE) - 1), st.integers(0, 255))
def test_one_wrong_byte_never_escapes(at: int, value: int) -> None:
    with suppress(NetlinkError):
        list(decode(IPV4, INFO, TABLE[:at] + bytes([value]) + TABLE[at + 1 :]))


@pytest.mark.root
@pytest.mark.skipif(not shutil.which("iptables-legacy"), reason="needs iptables-legacy")
@pytest.mark.parametrize("family", [IPV4, IPV6], ids=["ip", "ip6"])
def test_the_kernels_table_is_read(family: Family, own_network: OwnNetwork) -> None:
    command = f"{family.name}tables-legacy"

    def add(*rule: str) -> None:
        subprocess.run([command, "-t", "nat", "-A", "POSTROUTING", *rule], check=True)

    async def scene() -> None:
        for rule in ("-o usb0 -j MASQUERADE", "-o ppp+ -j MASQUERADE", "! -o docker0 -j MASQUERADE"):
            add(*rule.split())
        found = [one for one in read(family, "nat") if one.target]

        assert found == [
            Rule("POSTROUTING", "MASQUERADE", "usb0"),
            Rule("POSTROUTING", "MASQUERADE", ""),
            Rule("POSTROUTING", "MASQUERADE", ""),
        ]

    own_network(scene)


@pytest.mark.root
def test_a_table_that_is_none_is_an_error_with_its_reason(own_network: OwnNetwork) -> None:
    async def scene() -> None:
        with pytest.raises(OSError, match=os.strerror(2)):
            read(IPV4, "nowhere")

    own_network(scene)
