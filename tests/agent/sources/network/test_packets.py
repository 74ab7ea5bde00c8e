import asyncio
import os
import re
import signal
import socket
import subprocess
import warnings
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from agent.budget import Rest
from agent.clock import host_clock
from agent.detection.scans import ScanSettings
from agent.detection.traffic import TrafficSettings
from agent.sources import Packets, PacketsSettings
from agent.sources.network.packets import _Told, own_addresses
from agent.sources.network.webmail import Webmail

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scapy.layers.dns import DNS, DNSQR, DNSRR
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.l2 import ARP, Ether

pytestmark = [pytest.mark.root]
OwnNetwork: TypeAlias = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]
Watching: TypeAlias = Any  # the fixtures of conftest.py
Eventually: TypeAlias = Any
ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")


def wire() -> socket.socket:
    """Make a veth pair and return a socket that sends into one end."""
    for words in (
        "link add fsnear type veth peer name fsfar",
        "link set fsnear addrgenmode none up",
        "link set fsfar addrgenmode none up",
    ):
        subprocess.run(["ip", *words.split()], check=True, capture_output=True)
    near = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    near.bind(("fsnear", 0))
    return near


def proc(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text("ascii")


def children() -> list[int]:
    """Captures that this process started."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(path.joinpath("stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == os.getpid() and b"agent.capture.child" in path.joinpath("cmdline").read_bytes():
                found.append(int(path.name))
        except OSError:
            continue
    return found


def test_real_packets_on_a_wire_are_told_as_incidents(own_network: OwnNetwork, watching: Watching) -> None:
    """A scan, an address claimed in turns, and a tunnel through DNS, among traffic that is none."""
    frames = [
        bytes(ETHER / IP(src="203.0.113.9", dst="10.1.1.5") / TCP(dport=port, flags="S"))
        for port in range(40)
    ]
    frames += [
        bytes(
            ETHER
            / IP(src="10.1.1.5", dst="10.1.1.53")
            / UDP()
            / DNS(qd=DNSQR(qname=f"{one:040x}.t.example.net"))
        )
        for one in range(80)
    ]
    macs = ("02:00:00:00:00:aa", "02:00:00:00:00:bb")
    claims = [bytes(ETHER / ARP(op=2, psrc="10.1.1.1", hwsrc=mac)) for mac in macs]

    async def body() -> None:
        near = wire()
        source = Packets(PacketsSettings(interface="fsfar", ring_megabytes=1), lambda: {"10.1.1.5"})
        async with watching(source) as listener:
            while not any(one.body.get("class") == "NATRAFHIJ" for one in listener.heard):
                for frame in claims:
                    near.send(frame)
                await asyncio.sleep(0.2)
            for frame in frames:
                near.send(frame)
            scan = await listener.until(lambda seen: seen.body.get("key") == "scan:203.0.113.9")
            tunnel = await listener.until(lambda seen: seen.body.get("class") == "ABTRAFFIC")
            (child,) = children()
            limits, rollup = proc(child, "limits"), proc(child, "smaps_rollup")
        near.close()

        assert scan.body["target_address"] == "10.1.1.5"
        assert "from_this_host" not in scan.body
        assert tunnel.body["target"] == "example.net"
        assert (tunnel.body["from_this_host"], tunnel.body["severity_hint"]) == (True, "high")
        assert re.search(r"Max data size\s+134217728\s", limits)
        assert int(re.findall(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[0]) < 60 * 1024
        assert children() == []

    own_network(body)


def refusals(first: int, source: str = "203.0.113.9") -> list[bytes]:
    """Fifteen doors that a source asks for and that refuse."""
    doors = range(first, first + 15)
    knocks = [IP(src=source, dst="10.1.1.5") / TCP(sport=9, dport=port, flags="S") for port in doors]
    resets = [IP(src="10.1.1.5", dst=source) / TCP(sport=port, dport=9, flags="RA") for port in doors]
    return [bytes(ETHER / one) for one in (*knocks, *resets)]


async def seen_until_now(near: socket.socket, listener: Any, address: str) -> None:  # noqa: ANN401 - of the fixture
    """Spoof an address until that is told: what was sent before has been looked at then."""
    macs = ("02:00:00:00:00:aa", "02:00:00:00:00:bb")
    while not any(one.body.get("key") == f"arp:{address}" for one in listener.heard):
        for mac in macs:
            near.send(bytes(ETHER / ARP(op=2, psrc=address, hwsrc=mac)))
        await asyncio.sleep(0.2)


def test_a_slow_scan_that_spans_a_restart_is_counted_whole(
    own_network: OwnNetwork, watching: Watching, tmp_path: Path
) -> None:
    slow = TrafficSettings(scans=ScanSettings(doors=1000, slow_doors=30))
    settings = PacketsSettings(interface="fsfar", ring_megabytes=1, traffic=slow)

    async def body() -> None:
        with wire() as near:
            async with watching(Packets(settings, lambda: (), state=tmp_path)) as listener:
                await seen_until_now(near, listener, "10.1.1.1")
                for frame in refusals(100):
                    near.send(frame)
                await seen_until_now(near, listener, "10.1.1.2")
                assert not any(one.body.get("class") == "NASCAN" for one in listener.heard)
            async with watching(Packets(settings, lambda: (), state=tmp_path)) as listener:
                await seen_until_now(near, listener, "10.1.1.1")
                for frame in refusals(200):
                    near.send(frame)
                scan = await listener.until(lambda seen: seen.body.get("class") == "NASCAN")
        assert (scan.body["key"], scan.body["count"]) == ("scan:203.0.113.9", 30)

    own_network(body)


def test_a_child_that_is_killed_is_told_and_none_is_left(
    own_network: OwnNetwork, watching: Watching, eventually: Eventually
) -> None:
    async def body() -> None:
        wire().close()
        async with watching(Packets(PacketsSettings(interface="fsfar", ring_megabytes=1))) as listener:
            await eventually(children)
            os.kill(children()[0], signal.SIGKILL)
            gap = await listener.until(lambda seen: seen.kind == "gap")

        assert "the capture failed" in gap.body["why"]
        assert children() == []

    own_network(body)


def test_an_interface_that_is_not_there_is_named_and_ends_nothing(
    own_network: OwnNetwork, watching: Watching
) -> None:
    async def body() -> None:
        source = Packets(PacketsSettings(interface="nowhere"))
        reading = await source.once(host_clock().now())
        async with watching(source) as listener:
            gap = await listener.until(lambda seen: seen.kind == "gap")
            assert "No such device" in source.blind

        assert reading.observations == ()
        assert "No such device" in reading.unreadable[0].why
        assert "No such device" in gap.body["why"]

    own_network(body)


def test_a_watch_that_is_cancelled_leaves_no_process_and_nothing_open(
    own_network: OwnNetwork, watching: Watching, eventually: Eventually
) -> None:
    async def body() -> None:
        wire().close()
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counting, no paths
        async with watching(Packets(PacketsSettings(interface="fsfar", ring_megabytes=1))):
            await eventually(children)
        await asyncio.sleep(0)

        assert children() == []
        assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - likewise

    own_network(body)


def test_a_rest_outlives_the_child_and_the_agent_and_is_durable_with_its_report() -> None:
    first = Packets(PacketsSettings(cool_down=60.0))
    assert first._job().rest == 0.0
    told = first._observation(_Told("gap", {"why": "overdrawn"}, 60.0), host_clock().now())
    assert told.rest == Rest("packets", 60.0)
    assert 59 < first._job().rest <= 60

    again = Packets(PacketsSettings(cool_down=60.0))
    again.resume({"packets": 40.0})
    assert 39 < again._job().rest <= 40
    assert "rests" in again.blind


def test_a_host_knows_its_own_addresses() -> None:
    assert "127.0.0.1" in own_addresses()


def test_it_is_off_unless_switched_on() -> None:
    assert PacketsSettings().enabled is False


def test_names_of_webmail_that_this_host_asks_for_are_noted(
    own_network: OwnNetwork, watching: Watching, eventually: Eventually
) -> None:
    answer = DNS(qr=1, qd=DNSQR(qname="mail.qq.com"), an=DNSRR(rrname="mail.qq.com", rdata="203.0.113.9"))
    frames = [
        bytes(ETHER / IP(src="10.1.1.5", dst="10.1.1.53") / UDP() / DNS(qd=DNSQR(qname="mail.qq.com"))),
        bytes(ETHER / IP(src="10.1.1.5", dst="10.1.1.53") / UDP() / DNS(qd=DNSQR(qname="www.qq.com"))),
        bytes(ETHER / IP(src="10.1.1.7", dst="10.1.1.53") / UDP() / DNS(qd=DNSQR(qname="mail.163.com"))),
        bytes(ETHER / IP(src="10.1.1.53", dst="10.1.1.5") / UDP(sport=53, dport=5000) / answer),
    ]

    async def body() -> None:
        webmail = Webmail()
        settings = PacketsSettings(interface="fsfar", ring_megabytes=1)
        with wire() as near:

            def known() -> bool:
                for one in frames:
                    near.send(one)
                return any(row["addresses"] for row in webmail.rows(host_clock().now()))

            async with watching(Packets(settings, lambda: {"10.1.1.5"}, webmail)):
                await eventually(known)
        (row,) = webmail.rows(host_clock().now())
        assert (row["service"], row["name"], row["addresses"]) == ("qq", "mail.qq.com", ["203.0.113.9"])
        assert row["count"] > 0

    own_network(body)
