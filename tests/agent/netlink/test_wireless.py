"""The SSID, from pyroute2's encoder: the kernel of the tests has no radio."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.generic import ctrlmsg
from pyroute2.netlink.nl80211 import nl80211cmd

from agent.netlink import wireless
from agent.netlink.message import NetlinkError, pack_attribute, split

NEW_INTERFACE = 7


def interface(ssid: bytes, index: int = 3) -> bytes:
    message = nl80211cmd()
    message["cmd"] = NEW_INTERFACE
    message["attrs"] = [("NL80211_ATTR_IFINDEX", index), ("NL80211_ATTR_IFNAME", "wlp2s0")]
    message.encode()
    return next(iter(split(bytes(message.data)))).payload + pack_attribute(52, ssid)


def test_a_link_in_a_network_is_told_with_its_name() -> None:
    assert wireless.decode_interface(interface("市民卡 WiFi".encode())) == (3, "市民卡 WiFi")


def test_a_link_in_no_network_has_none() -> None:
    assert wireless.decode_interface(interface(b"")) is None


def test_a_hostile_name_cannot_break_a_line_or_turn_text_around() -> None:
    found = wireless.decode_interface(interface(b"a\nb\x1b[2J\xff\xe2\x80\xae"))

    assert found is not None
    assert found[1].isprintable()


def test_a_name_longer_than_the_standard_allows_is_cut() -> None:
    assert wireless.decode_interface(interface(b"x" * 200)) == (3, "x" * 32)


def test_the_controller_tells_the_number_of_a_family() -> None:
    message = ctrlmsg()
    message["cmd"] = 1
    message["attrs"] = [("CTRL_ATTR_FAMILY_ID", 31), ("CTRL_ATTR_FAMILY_NAME", "nl80211")]
    message.encode()

    payload = next(iter(split(bytes(message.data)))).payload
    assert wireless.decode_family(payload) == ("nl80211", 31)


@pytest.mark.parametrize("decode", [wireless.decode_interface, wireless.decode_family])
@given(data=st.binary(max_size=200) | st.integers(0, 60).map(lambda n: interface(b"cut short")[:n]))
def test_garbage_and_cut_messages_are_refused_or_read_in_part(decode: object, data: bytes) -> None:
    assert callable(decode)
    with suppress(NetlinkError):
        decode(data)


def test_a_host_is_asked_for_all_its_networks_whatever_radios_it_has() -> None:
    found = wireless.ssids()

    assert all(index > 0 and name.isprintable() for index, name in found.items())
