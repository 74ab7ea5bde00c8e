"""What the kernel tells: netlink of all kinds, events of devices and processes, tables, /proc and /sys."""

import socket
import struct
from pathlib import Path

from agent.netlink import (
    conntrack,
    inet_diag,
    iptables,
    linkkind,
    message,
    nat,
    proc_events,
    rtnetlink,
    uevent,
    wireless,
)
from agent.netlink.message import HEADER, NetlinkError, pack_attribute
from agent.powers import firewall
from agent.sources.programs import procfs, proctable, starts
from tests.agent.netlink import (
    test_conntrack,
    test_iptables,
    test_nat,
    test_proc_events,
    test_rtnetlink,
    test_uevent,
    test_wireless,
)
from tests.fuzz.hostile import Decoder, of_file, of_text

REFUSES = (NetlinkError,)
_NAME, _ADDRESS = pack_attribute(3, b"eth0\0"), pack_attribute(1, bytes([10, 0, 0, 7]))
LINK = struct.pack("=BxHiII", 0, 1, 2, 1, 0) + _NAME + pack_attribute(18, pack_attribute(1, b"tun\0"))
ADDRESS = struct.pack("=BBBBI", socket.AF_INET, 24, 0, 0, 2) + _ADDRESS
ROUTE = struct.pack("=BBBBBBBBI", socket.AF_INET, 0, 0, 0, 254, 3, 0, 1, 0) + pack_attribute(4, b"\2\0\0\0")
HOPS = ROUTE + pack_attribute(9, struct.pack("=HBBi", 16, 0, 0, 2) + pack_attribute(5, bytes([10, 0, 0, 1])))
NEIGHBOUR = (
    struct.pack("=BxxxIHBB", socket.AF_INET, 2, 2, 0, 1) + _ADDRESS + pack_attribute(2, b"\2\0\0\0\0\7")
)
SOCKET = struct.pack(
    "=BBxx2s2s16s16sI8x12xII", socket.AF_INET, 1, b"\x9c\x40", b"\x01\xbb",
    bytes([10, 0, 0, 7]) + bytes(12), bytes([203, 0, 113, 9]) + bytes(12), 0, 1000, 4711,
)  # fmt: skip
SET = (
    b'{"nftables":[{"metainfo":{}},{"set":{"name":"blocked4","elem":["203.0.113.9",'
    b'{"elem":{"val":{"prefix":{"addr":"10.0.0.0","len":8}},"timeout":60,"expires":59}}]}}]}'
)
STAT = b"812 (sh (x)) S 1 812 812 0 -1 4194304 1 0 0 0 3 4 0 0 20 0 1 0 8812 1 1 18446744073709551615 0 0"
TCP = b"0: 0100007F:A1B2 097100CB:115C 01 0:0 0:0 0 0 0 4242 1 0"


def _whole(datagram: bytes) -> object:
    return [(one.type, list(message.each_attribute(one.payload))) for one in message.split(datagram)]


def _process(root: Path) -> object:
    running = starts.Starts(root, root / "passwd")
    running.close()
    return proctable.Table(root).processes, running.describe("812"), procfs.describe(root, "812")


def _network(root: Path) -> object:
    return proctable.Table(root).connections(812)


def _device(root: Path) -> object:
    return linkkind.read_device("eth0", root)


DECODERS = (
    Decoder(
        "netlink",
        "agent/netlink/message.py",
        _whole,
        REFUSES,
        (HEADER.pack(HEADER.size + len(_NAME), 16, 0, 1, 0) + _NAME,),
        (b"\x10\0\0\0" * 4,),
    ),
    Decoder("rtnetlink: link", "agent/netlink/rtnetlink.py", rtnetlink.decode_link, REFUSES, (LINK,)),
    Decoder(
        "rtnetlink: address", "agent/netlink/rtnetlink.py", rtnetlink.decode_address, REFUSES, (ADDRESS,)
    ),
    Decoder(
        "rtnetlink: route",
        "agent/netlink/rtnetlink.py",
        rtnetlink.decode_route,
        REFUSES,
        (ROUTE, HOPS),
        (b"\x08\0\x09\0\0\0\0\0", struct.pack("=HBBi", 8, 0, 0, 2)),
    ),
    Decoder("rtnetlink: rule", "agent/netlink/rtnetlink.py", rtnetlink.decode_rule, REFUSES, (ROUTE,)),
    Decoder(
        "rtnetlink: neighbour",
        "agent/netlink/rtnetlink.py",
        rtnetlink.decode_neighbour,
        REFUSES,
        (NEIGHBOUR,),
    ),
    Decoder(
        "rtnetlink: next hop object",
        "agent/netlink/rtnetlink.py",
        rtnetlink.decode_object,
        REFUSES,
        (test_rtnetlink.OBJECT, test_rtnetlink.GROUP),
    ),
    Decoder(
        "inet_diag",
        "agent/netlink/inet_diag.py",
        lambda data: inet_diag.decode_socket(data, "tcp"),
        REFUSES,
        (SOCKET,),
    ),
    Decoder(
        "conntrack",
        "agent/netlink/conntrack.py",
        lambda data: conntrack.decode_flow(data, lambda _: True),
        REFUSES,
        (test_conntrack.GUEST,),
    ),
    Decoder("nftables rule", "agent/netlink/nat.py", nat.decode_rule, REFUSES, (test_nat.MASQUERADE,)),
    Decoder(
        "iptables table",
        "agent/netlink/iptables.py",
        lambda data: list(iptables.decode(iptables.IPV4, test_iptables.INFO, data)),
        REFUSES,
        (test_iptables.TABLE,),
    ),
    Decoder(
        "iptables head",
        "agent/netlink/iptables.py",
        lambda data: list(iptables.decode(iptables.IPV4, data, test_iptables.TABLE)),
        REFUSES,
        (test_iptables.INFO,),
    ),
    Decoder("nftables set", "agent/powers/firewall.py", firewall.elements, (firewall.FirewallError,), (SET,)),
    Decoder(
        "nl80211: link",
        "agent/netlink/wireless.py",
        wireless.decode_interface,
        REFUSES,
        (test_wireless.interface("市民卡".encode()),),
    ),
    Decoder(
        "nl80211: family",
        "agent/netlink/wireless.py",
        wireless.decode_family,
        REFUSES,
        (b"\1\1\0\0" + pack_attribute(2, b"nl80211\0") + pack_attribute(1, b"\x1f\0"),),
    ),
    Decoder("uevent", "agent/netlink/uevent.py", uevent.read, REFUSES, (test_uevent.PHONE,), (b"A=\0",)),
    Decoder(
        "proc_events",
        "agent/netlink/proc_events.py",
        proc_events.started,
        REFUSES,
        (test_proc_events.message(proc_events.EXEC, struct.pack("=II", 7, 7)),),
    ),
    Decoder(
        "/proc/PID/stat",
        "agent/sources/programs/proctable.py",
        of_file("812/stat", _process),
        (),
        (STAT,),
        (b") ", b"( "),
    ),
    Decoder(
        "/proc/net/tcp: row",
        "agent/sources/programs/proctable.py",
        of_text(lambda text: proctable.read_row("tcp", text)),
        (),
        (TCP,),
    ),
    Decoder(
        "/proc/net/tcp",
        "agent/sources/programs/proctable.py",
        of_file("812/net/tcp", _network),
        (),
        (b"head\n" + TCP + b"\n",),
        (TCP + b"\n",),
    ),
    Decoder(
        "/sys/class/net",
        "agent/netlink/linkkind.py",
        of_file("sys/class/net/eth0/uevent", _device),
        (),
        (b"INTERFACE=eth0\nDEVTYPE=wwan\n",),
        (b"DEVTYPE=",),
    ),
)
