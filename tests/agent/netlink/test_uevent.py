import doctest
import select
import subprocess
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.netlink import uevent
from agent.netlink.message import NetlinkError
from agent.netlink.uevent import Device, Devices, read

OwnNetwork = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]
PHONE = (
    b"bind@/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0\0ACTION=bind\0"
    b"DEVPATH=/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0\0SUBSYSTEM=usb\0DEVTYPE=usb_interface\0"
    b"DRIVER=rndis_host\0PRODUCT=18d1/4ee3/404\0INTERFACE=224/1/3\0SEQNUM=4711\0"
)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def test_a_phone_that_is_plugged_in_is_told_with_its_driver() -> None:
    found = read(PHONE)

    path = "/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0"
    assert found == Device("bind", path, "usb", "rndis_host", "18d1/4ee3/404", "224/1/3")
    assert found.matters


def test_a_disk_is_no_reason_to_look() -> None:
    assert not read(b"change@/devices/virtual/block/loop0\0ACTION=change\0SUBSYSTEM=block\0").matters


@given(st.binary(max_size=300) | st.integers(0, len(PHONE)).map(lambda n: PHONE[:n]))
def test_garbage_and_cut_events_are_refused_or_read_in_part(data: bytes) -> None:
    with suppress(NetlinkError):
        read(data)


def test_an_event_of_endless_length_and_one_of_udev_are_refused() -> None:
    with pytest.raises(NetlinkError, match="at most"):
        read(b"add@/" + b"x" * 20_000)
    with pytest.raises(NetlinkError, match="expected action@path"):
        read(b"libudev\0\xfe\xed\xca\xfe")


@pytest.mark.root
def test_the_kernel_tells_a_new_link(own_network: OwnNetwork) -> None:
    async def scene() -> None:
        devices = Devices()
        assert devices.drain() is False
        ip("link", "add", "near", "type", "veth", "peer", "name", "far")
        assert select.select([devices], [], [], 5)[0]
        assert devices.drain() is True
        devices.close()

    own_network(scene)


def test_the_examples_of_the_file_are_true() -> None:
    assert doctest.testmod(uevent).failed == 0
