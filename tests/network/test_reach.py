"""The opt-in check over a real second exit with address translation, and towards nobody else."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from landscape import BIN, command, eventually

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.xdist_group("reach"),
]
TAG = f"fr{os.getpid() % 100000}"
HOST, ROUTER, OUTSIDE = f"{TAG}h", f"{TAG}r", f"{TAG}o"
MASQUERADE = 'table ip n { chain c { type nat hook postrouting priority 100; oifname "wan" masquerade; }; }'
BEACON, BEACON6 = "203.0.113.80", "2001:db8:80::80"
HOST6, ROUTER6 = "fd42::7", "fd42::1"
NOW: dict[bool, tuple[str, ...]] = {False: (), True: ("nodad",)}
# A packet to each gateway, so that its hardware address is known, as on any host that uses it.
GREETING = f"""
import socket
socket.socket(2, 2).sendto(b'x', ('192.168.42.129', 9))
socket.socket(10, 2).sendto(b'x', ('{ROUTER6}', 9))
"""


def wire(near: tuple[str, str, str], far: tuple[str, str, str]) -> None:
    words = ("link", "add", near[1], "type", "veth", "peer", "name", far[1], "netns", far[0])
    command("ip", "-n", near[0], *words)
    for namespace, link, addresses in (near, far):
        for address in addresses.split():
            command("ip", "-n", namespace, "address", "add", address, "dev", link, *NOW[":" in address])
        command("ip", "-n", namespace, "link", "set", link, "up")


def greeted() -> bool:
    """Greet both gateways; whether the hardware address of both is known."""
    command("ip", "netns", "exec", HOST, sys.executable, "-c", GREETING)
    known = command("ip", "-n", HOST, "neigh", "show", "dev", "usb0").splitlines()
    return {line.split()[0] for line in known if "lladdr" in line} >= {"192.168.42.129", ROUTER6}


@pytest.fixture(scope="module")
def public_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A host with two default routes: over usb0 and a router that translates; over eth0 into nowhere."""
    names = (HOST, ROUTER, OUTSIDE)
    try:
        for name in names:
            command("ip", "netns", "add", name)
            command("ip", "-n", name, "link", "set", "lo", "up")
        lan, wan = f"192.168.42.129/24 {ROUTER6}/64", "203.0.113.1/24 2001:db8:80::1/64"
        wire((HOST, "usb0", f"192.168.42.7/24 {HOST6}/64"), (ROUTER, "lan", lan))
        wire((ROUTER, "wan", wan), (OUTSIDE, "net", f"{BEACON}/24 {BEACON6}/64"))
        wire((HOST, "eth0", "10.99.0.2/24"), (OUTSIDE, "dead", "10.99.0.1/24"))
        command("ip", "-n", HOST, "route", "add", "default", "via", "10.99.0.1", "dev", "eth0")
        command("ip", "-n", HOST, "route", "add", "default", "via", "192.168.42.129", "metric", "700")
        command("ip", "-n", HOST, "route", "add", "default", "via", ROUTER6, "dev", "usb0")
        command("ip", "-n", OUTSIDE, "route", "add", "fd42::/64", "via", "2001:db8:80::1")
        for switch in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            forward = f"open('/proc/sys/net/{switch}', 'w').write('1')"
            command("ip", "netns", "exec", ROUTER, sys.executable, "-c", forward)
        nft = ["ip", "netns", "exec", ROUTER, "nft", "-f", "-"]
        subprocess.run(nft, input=MASQUERADE.encode(), check=True, timeout=30)
        command("ip", "-n", OUTSIDE, "link", "set", "dead", "down")
        eventually(greeted, within=20, every=0.2)
        key = tmp_path_factory.mktemp("beacon") / "key"
        words = [str(BIN / "fengsui-collector"), "beacon", "--listen", f"{BEACON}:8081", "--key", str(key)]
        run = ["ip", "netns", "exec", OUTSIDE, *words, "--json"]
        with subprocess.Popen(run, stdout=subprocess.PIPE, text=True) as beacon:
            assert beacon.stdout
            yield json.loads(beacon.stdout.readline())["public_key"]
            beacon.terminate()
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def once(folder: Path, reach: dict[str, Any], **asset: object) -> tuple[dict[str, Any], list[str]]:
    """Return the exits report of the host, and what was refused."""
    settings = {
        "state_dir": str(folder / "agent"),
        "assets": [{"id": "a", **asset}],
        "sources": {"exits": {"reach": reach}},
    }
    file = folder / "agent.yaml"
    file.write_text(yaml.safe_dump(settings))
    words = [sys.executable, "-m", "agent", "once", "--config", str(file), "--json"]
    told = json.loads(command("ip", "netns", "exec", HOST, *words))
    (exits,) = [one["body"] for one in told["reports"] if one["kind"] == "exits"]
    return exits, [one["why"] for one in told["unreadable"] if one["what"] == "active check"]


def reach(key: str, **more: object) -> dict[str, Any]:
    beacons = [{"address": f"{BEACON}:8081", "public_key": key}]
    return {"enabled": True, "zone": "extranet", "beacons": beacons, "timeout": 1, **more}


def test_the_way_that_leads_out_is_proved_with_the_address_the_outside_sees(
    tmp_path: Path, public_key: str
) -> None:
    body, refused = once(tmp_path, reach(public_key, trace_targets=[BEACON], max_hops=2))

    assert body["reached"] == [
        {"interface": "usb0", "beacon": f"{BEACON}:8081", "seen_address": "203.0.113.1"}
    ]
    (trace,) = [one for one in body["traces"] if one["interface"] == "usb0"]
    assert trace["hops"] == ["192.168.42.129", BEACON]
    assert refused == []


def test_the_first_hops_of_an_ipv6_way_are_told_by_the_limit_that_ends_them(
    tmp_path: Path, public_key: str
) -> None:
    before = probes()
    body, _ = once(tmp_path, reach(public_key, beacons=[], trace_targets=[BEACON6], max_hops=3))

    assert probes() == [before[0], before[1] + 2]
    (trace,) = body["traces"]
    assert (trace["interface"], trace["target"]) == ("usb0", BEACON6)
    assert trace["hops"] == [ROUTER6, BEACON6, BEACON6]


def test_a_beacon_with_another_key_proves_nothing(tmp_path: Path, public_key: str) -> None:
    assert public_key
    body, _ = once(tmp_path, reach("00" * 32))

    assert body["reached"] == []


@pytest.mark.parametrize(
    ("more", "asset", "why"),
    [
        ({"zone": "intranet"}, {}, "allow_intranet"),
        ({"zone": "intranet", "allow_intranet": True}, {"classified": True}, "classified"),
    ],
)
def test_where_it_is_refused_not_one_packet_leaves(
    tmp_path: Path, public_key: str, more: dict[str, Any], asset: dict[str, Any], why: str
) -> None:
    before = tcp_opens(), probes()
    body, refused = once(
        tmp_path, reach(public_key, trace_targets=[BEACON, BEACON6], max_hops=3, **more), **asset
    )

    assert (tcp_opens(), probes()) == before
    assert "reached" not in body
    assert "traces" not in body
    assert why in refused[0]


def tcp_opens() -> int:
    """How often a connection came in at the beacon's host."""
    text = command("ip", "netns", "exec", OUTSIDE, "cat", "/proc/net/snmp")
    names, values = [line.split() for line in text.splitlines() if line.startswith("Tcp:")]
    return int(values[names.index("PassiveOpens")])


def probes() -> list[int]:
    """How many datagrams nobody waited for came in at the beacon's host, over IPv4 and IPv6."""
    v4 = command("ip", "netns", "exec", OUTSIDE, "cat", "/proc/net/snmp")
    names, values = [line.split() for line in v4.splitlines() if line.startswith("Udp:")]
    v6 = command("ip", "netns", "exec", OUTSIDE, "cat", "/proc/net/snmp6")
    rows = dict(line.split() for line in v6.splitlines())
    return [int(values[names.index("NoPorts")]), int(rows["Udp6NoPorts"])]
