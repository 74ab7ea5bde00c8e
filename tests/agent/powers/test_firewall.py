"""Blocks and isolation in the kernel of a host made of a namespace; nobody has to live for their end."""

from __future__ import annotations

import subprocess
import sys
import time
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from agent.powers.firewall import Block, Firewall, FirewallError, Guard, Kept
from tests.agent.powers.conftest import COLLECTOR, STRANGER, run

if TYPE_CHECKING:
    from tests.agent.powers.conftest import Host

pytestmark = pytest.mark.root
GUARD = Guard(never=(ip_network(COLLECTOR),), kept=(Kept(ip_network(COLLECTOR), 8443),))
FAR = ip_network(STRANGER)


def test_a_blocked_address_is_reached_no_more_and_again_after_it_is_unblocked(host: Host) -> None:
    assert host.reaches(STRANGER, 80)

    assert host.firewall.block(FAR, 600, GUARD)
    blocked = (host.reaches(STRANGER, 80), host.reaches(COLLECTOR, 8443))
    assert host.firewall.unblock(FAR)

    assert blocked == (False, True)
    assert host.reaches(STRANGER, 80)
    assert not host.firewall.unblock(FAR)


def test_a_block_ends_by_itself_in_the_kernel(host: Host) -> None:
    host.firewall.block(FAR, 3, GUARD)
    assert not host.reaches(STRANGER, 80)

    deadline = time.monotonic() + 10
    while not host.reaches(STRANGER, 80):
        assert time.monotonic() < deadline, "the kernel did not end the block"

    assert host.firewall.blocks() == []


def test_the_same_block_twice_changes_nothing_and_a_longer_one_lasts_longer(host: Host) -> None:
    assert host.firewall.block(FAR, 100, GUARD)
    assert not host.firewall.block(FAR, 90, GUARD)
    assert host.firewall.block(FAR, 500, GUARD)

    (block,) = host.firewall.blocks()
    assert (block.network, 490 <= block.seconds <= 500) == (FAR, True)


def test_a_wider_block_takes_in_narrower_ones_and_never_shortens_them(host: Host) -> None:
    host.firewall.block(FAR, 500, GUARD)

    assert host.firewall.block(ip_network("198.18.9.0/24"), 60, GUARD)

    (block,) = host.firewall.blocks()
    assert (str(block.network), block.seconds > 400) == ("198.18.9.0/24", True)
    with pytest.raises(FirewallError, match="unblock that first"):
        host.firewall.block(FAR, 10_000, GUARD)


def test_ipv6_is_blocked_as_ipv4_is(host: Host) -> None:
    assert host.reaches("fd99::1", 80)

    host.firewall.block(ip_network("fd99::/64"), 60, GUARD)

    assert not host.reaches("fd99::1", 80)
    assert host.firewall.blocks()[0].network == ip_network("fd99::/64")


def test_an_isolated_node_reaches_its_collector_alone_and_is_released(host: Host) -> None:
    assert host.firewall.isolate(600, GUARD)

    reached = [
        host.reaches(*end) for end in ((COLLECTOR, 8443), (COLLECTOR, 22), (STRANGER, 80), ("fd99::1", 80))
    ]
    assert reached == [True, False, False, False]
    assert host.firewall.isolated() > 590
    assert not host.firewall.isolate(500, GUARD)
    assert host.firewall.release()
    assert host.reaches(STRANGER, 80)
    assert not host.firewall.release()


def test_a_block_during_isolation_leaves_the_collector_reachable(host: Host) -> None:
    host.firewall.isolate(600, GUARD)

    host.firewall.block(FAR, 60, GUARD)

    assert host.reaches(COLLECTOR, 8443)
    assert not host.reaches(COLLECTOR, 22)


def test_isolation_lifts_itself(host: Host) -> None:
    host.firewall.isolate(3, GUARD)
    assert not host.reaches(STRANGER, 80)

    deadline = time.monotonic() + 10
    while not host.reaches(STRANGER, 80):
        assert time.monotonic() < deadline, "the kernel did not end the isolation"

    assert host.firewall.isolated() == 0


@pytest.mark.parametrize("far", ["198.18.7.1", "fd97::1"])
def test_an_isolated_node_still_sends_whole_packets_to_a_collector_behind_a_narrower_line(
    host: Host, far: str
) -> None:
    """A tunnel on the way: only a router's error says how long a packet may be."""
    with host.behind_a_tunnel(far):
        kept = Guard(kept=(Kept(ip_network(far), 8443),))
        assert host.firewall.isolate(600, kept)

        assert host.sends(far, 8443, 200_000) == 200_000
        assert not host.reaches(STRANGER, 80)


@pytest.mark.parametrize(
    ("client", "server", "port", "from_anywhere"),
    [
        (68, COLLECTOR, 67, False),
        (68, STRANGER, 67, False),  # behind a relay it may be anywhere
        (546, "ff02::1:2%eth0", 547, False),
        (546, "ff02::1:2%eth0", 547, True),
        (546, "fd99::1", 547, False),  # it had told the client to ask it directly
    ],
)
def test_an_isolated_node_still_renews_its_address(
    *, host: Host, client: int, server: str, port: int, from_anywhere: bool
) -> None:
    with host.leasing(6 if ":" in server else 4, port, from_anywhere=from_anywhere):
        assert host.firewall.isolate(600, GUARD)

        assert host.renews(client, server, port)
        assert not host.renews(6800, server, port, tries=1), "any other port goes nowhere"
        assert not host.reaches(STRANGER, 80)


def test_the_ports_of_one_lease_protocol_open_nothing_of_the_other(host: Host) -> None:
    with host.leasing(6, 67):
        assert host.renews(68, "fd99::1", 67)
        host.firewall.isolate(600, GUARD)
        assert not host.renews(68, "fd99::1", 67, tries=1)


ROUTER = """
import socket, struct
with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as line:
    line.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    line.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("eth0"))
    prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 600, 600, 0)
    prefix += socket.inet_pton(socket.AF_INET6, "fd96::")
    line.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 0, 0, 0) + prefix, ("ff02::1", 0))
"""
SNOOP = """
import socket, struct
with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as line:
    index = struct.pack("@I", socket.if_nametoindex("eth0"))
    line.setsockopt(
        socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, "ff02::16") + index
    )
    line.settimeout(5)
    print("up", flush=True)
    while socket.inet_pton(socket.AF_INET6, "ff02::1234") not in (said := line.recv(2000)) or said[0] != 143:
        pass
"""
JOIN = """
import socket, struct, threading
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as line:
    index = struct.pack("@I", socket.if_nametoindex("eth0"))
    line.setsockopt(
        socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, "ff02::1234") + index
    )
    threading.Event().wait()
"""


def test_a_router_still_gives_an_isolated_node_its_prefix(host: Host) -> None:
    host.firewall.isolate(600, GUARD)

    run("ip", "netns", "exec", host.others, sys.executable, "-c", ROUTER)

    deadline = time.monotonic() + 5
    while "fd96::" not in run("ip", "-n", host.name, "-6", "address", "show", "dev", "eth0"):
        assert time.monotonic() < deadline, "the advertisement did not come through"


def test_a_switch_that_snoops_still_hears_to_what_an_isolated_node_listens(host: Host) -> None:
    host.firewall.isolate(600, GUARD)
    words = ["ip", "netns", "exec", host.others, sys.executable, "-c", SNOOP]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as switch:
        assert switch.stdout is not None
        assert switch.stdout.readline() == b"up\n"
        node = subprocess.Popen(["ip", "netns", "exec", host.name, sys.executable, "-c", JOIN])
        try:
            assert switch.wait(10) == 0, "no report of a listener came"
        finally:
            node.kill()
            node.wait()


def test_a_dry_run_is_judged_by_the_kernel_and_changes_nothing(host: Host) -> None:
    assert host.firewall.block(FAR, 60, GUARD, dry_run=True)
    assert host.firewall.isolate(60, GUARD, dry_run=True)

    assert (host.firewall.blocks(), host.firewall.isolated()) == ([], 0)
    assert host.reaches(STRANGER, 80)
    with pytest.raises(FirewallError, match="nft: "):
        host.firewall.block(FAR, 2**60, GUARD, dry_run=True)


def test_a_collector_that_moves_stays_reachable_in_isolation_once_it_is_looked_for_again(host: Host) -> None:
    elsewhere = Guard(kept=(Kept(ip_network("10.98.0.77"), 8443),))
    assert not host.firewall.refresh(GUARD)
    host.firewall.isolate(600, elsewhere)
    assert not host.reaches(COLLECTOR, 8443)

    assert host.firewall.refresh(GUARD)

    assert host.reaches(COLLECTOR, 8443)
    assert not host.reaches(STRANGER, 80)
    assert host.firewall.isolated() > 590


def test_other_tables_of_the_host_are_left_alone(host: Host) -> None:
    nft = ("ip", "netns", "exec", host.name, "nft")
    run(*nft, "add", "table", "inet", "own")
    run(*nft, "add", "set", "inet", "own", "kept", "{ type ipv4_addr; elements = { 192.0.2.1 } }")

    host.firewall.isolate(60, GUARD)
    host.firewall.release()

    assert "192.0.2.1" in run(*nft, "list", "table", "inet", "own")
    run(*nft, "delete", "table", "inet", "own")


def test_without_nft_it_is_said_and_nothing_happens() -> None:
    with pytest.raises(FirewallError, match="package nftables"):
        Firewall(("/nowhere/nft",)).block(FAR, 60, GUARD)


def test_a_kernel_that_refuses_is_quoted() -> None:
    with pytest.raises(FirewallError, match="nft: "):
        Firewall(("false",)).block(FAR, 60, GUARD)


def test_a_block_reads_as_the_element_it_is() -> None:
    assert Block(FAR, 3).network == FAR
