import socket
import subprocess
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.nfnetlink.nfctsocket import nfct_msg

from agent.netlink.conntrack import NEW, Flow, NewFlows, decode_flow, flows
from agent.netlink.message import HEADER, NetlinkError, split

OwnNetwork = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]
TRACKED = "table inet t { chain c { type filter hook output priority 0; ct state new counter; }; }"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def nft(rules: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=rules.encode(), check=True)


def anyone(_: bytes) -> bool:
    return True


def ends(source: str, target: str, sport: int, dport: int) -> dict[str, Any]:
    addresses = [("CTA_IP_V4_SRC", source), ("CTA_IP_V4_DST", target)]
    ports = [("CTA_PROTO_NUM", 6), ("CTA_PROTO_SRC_PORT", sport), ("CTA_PROTO_DST_PORT", dport)]
    return {"attrs": [("CTA_TUPLE_IP", {"attrs": addresses}), ("CTA_TUPLE_PROTO", {"attrs": ports})]}


def told(original: dict[str, Any], reply: dict[str, Any]) -> bytes:
    message = nfct_msg()
    message["nfgen_family"] = socket.AF_INET
    message["attrs"] = [("CTA_TUPLE_ORIG", original), ("CTA_TUPLE_REPLY", reply)]
    message.encode()
    return next(iter(split(bytes(message.data)))).payload


GUEST = told(ends("192.168.5.7", "203.0.113.9", 40000, 443), ends("203.0.113.9", "198.18.0.2", 443, 40000))


def test_a_flow_of_a_guest_is_told_with_the_address_the_outside_sees() -> None:
    expected = Flow("tcp", "192.168.5.7", 40000, "203.0.113.9", 443, "198.18.0.2")

    assert decode_flow(GUEST, anyone) == expected


def test_a_flow_that_is_not_translated_says_so() -> None:
    there, back = ("10.1.2.3", "203.0.113.9", 40000, 443), ("203.0.113.9", "10.1.2.3", 443, 40000)
    flow = decode_flow(told(ends(*there), ends(*back)), anyone)

    assert flow is not None
    assert flow.translated == ""


def test_a_flow_to_the_inside_is_not_even_made_a_value() -> None:
    assert decode_flow(GUEST, lambda target: target != bytes([203, 0, 113, 9])) is None


@given(st.binary(max_size=200) | st.integers(0, len(GUEST)).map(lambda n: GUEST[:n]))
def test_garbage_and_cut_messages_are_refused_or_read_in_part(data: bytes) -> None:
    with suppress(NetlinkError):
        decode_flow(data, anyone)


@given(st.integers(0, len(GUEST) - 1), st.integers(0, 255))
def test_a_flow_with_any_byte_changed_is_refused_or_read(place: int, value: int) -> None:
    with suppress(NetlinkError):
        decode_flow(GUEST[:place] + bytes([value]) + GUEST[place + 1 :], anyone)


def test_other_messages_of_the_group_are_passed_over() -> None:
    other = HEADER.pack(HEADER.size + len(GUEST), NEW | 2, 0, 0, 0) + GUEST

    assert list(flows(other.ljust(len(other) + 3 & ~3, b"\0"), anyone)) == []


@pytest.mark.root
def test_the_kernel_tells_a_connection_that_lives_for_one_packet(own_network: OwnNetwork) -> None:
    async def scene() -> None:
        nft(TRACKED)
        ip("addr", "add", "203.0.113.5/32", "dev", "lo")
        heard = NewFlows()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as short:
            short.sendto(b"x", ("203.0.113.5", 53))

        (flow,) = (flow for datagram in heard.drain() for flow in flows(datagram, anyone))
        assert (flow.protocol, flow.target, flow.target_port) == ("udp", "203.0.113.5", 53)
        heard.close()

    own_network(scene)
