import doctest
from pathlib import Path
from typing import get_args

import pytest

from agent.netlink import linkkind
from agent.netlink.linkkind import DEVICE_TYPES, DRIVERS, INFO_KINDS, Device, classify, read_device
from wire.vocabulary import LinkKind


def sysfs(
    root: Path, name: str, driver: str = "", devtype: str = "", *, inside: tuple[str, ...] = ()
) -> None:
    """Make a device as sysfs shows it: a link to its driver, a uevent, and folders that say what it is."""
    place = root / "sys/class/net" / name
    place.mkdir(parents=True)
    (place / "uevent").write_text(
        f"INTERFACE={name}\nIFINDEX=7\n" + (f"DEVTYPE={devtype}\n" if devtype else "")
    )
    for folder in inside:
        (place / folder).mkdir()
    if driver:
        (root / "sys/bus/usb/drivers" / driver).mkdir(parents=True)
        (place / "device").mkdir()
        (place / "device/driver").symlink_to(root / "sys/bus/usb/drivers" / driver)


@pytest.mark.parametrize(
    ("driver", "devtype", "inside", "kind"),
    [
        ("e1000e", "", (), "wired"),
        ("r8152", "", (), "wired"),
        ("cdc_ether", "", (), "usb_tether"),
        ("cdc_ncm", "", (), "usb_tether"),
        ("rndis_host", "", (), "usb_tether"),
        ("ipheth", "", (), "usb_tether"),
        ("cdc_ether", "wwan", (), "wwan"),
        ("rndis_host", "wwan", (), "wwan"),
        ("qmi_wwan", "wwan", (), "wwan"),
        ("cdc_mbim", "", (), "wwan"),
        ("mt7921e", "wlan", ("phy80211",), "wifi"),
        ("rtl8192ce", "", ("wireless",), "wifi"),
        ("bnep", "bluetooth", (), "usb_tether"),
        ("", "", ("tun_flags",), "tun"),
        ("", "", (), "unknown"),
    ],
)
def test_a_device_is_known_by_its_driver_and_by_what_sysfs_says_of_it(
    tmp_path: Path, driver: str, devtype: str, inside: tuple[str, ...], kind: LinkKind
) -> None:
    sysfs(tmp_path, "lan0", driver, devtype, inside=inside)

    assert classify(1, "", read_device("lan0", tmp_path)) == kind


@pytest.mark.parametrize(
    ("hardware", "info_kind", "kind"),
    [
        (772, "", "loopback"),
        (512, "ppp", "ppp"),
        (512, "", "ppp"),
        (65534, "wireguard", "wireguard"),
        (65534, "tun", "tun"),
        (65534, "", "tun"),
        (519, "", "wwan"),
        (1, "veth", "container"),
        (1, "bridge", "bridge"),
        (1, "vlan", "virtual"),
        (1, "a kind of next year", "virtual"),
    ],
)
def test_a_link_without_a_device_is_known_by_its_type_and_how_it_was_made(
    hardware: int, info_kind: str, kind: LinkKind
) -> None:
    assert classify(hardware, info_kind, Device()) == kind


@pytest.mark.parametrize(
    ("name", "hardware", "info_kind", "kind"),
    [
        ("docker0", 1, "bridge", "bridge"),
        ("docker_gwbridge", 1, "bridge", "bridge"),
        ("podman0", 1, "bridge", "bridge"),
        ("cni0", 1, "bridge", "bridge"),
        ("cni-podman0", 1, "bridge", "bridge"),
        ("virbr0", 1, "bridge", "bridge"),
        ("lxcbr0", 1, "bridge", "bridge"),
        ("lxdbr0", 1, "bridge", "bridge"),
        ("vmbr0", 1, "bridge", "bridge"),
        ("br-int", 1, "openvswitch", "bridge"),
        ("ovs-system", 1, "openvswitch", "bridge"),
        ("veth1a2b3c", 1, "veth", "container"),
        ("cali0123456789a", 1, "veth", "container"),
        ("lxc_health", 1, "veth", "container"),
        ("cilium_host", 1, "veth", "container"),
        ("cilium_net", 1, "netkit", "container"),
        ("vnet0", 1, "tun", "tun"),
        ("tap100i0", 1, "tun", "tun"),
        ("flannel.1", 1, "vxlan", "tun"),
        ("vxlan.calico", 1, "vxlan", "tun"),
        ("cilium_vxlan", 1, "vxlan", "tun"),
        ("tunl0", 768, "ipip", "tun"),
        ("flannel-wg", 65534, "wireguard", "wireguard"),
        ("kube-ipvs0", 1, "dummy", "virtual"),
        ("nodelocaldns", 1, "dummy", "virtual"),
        ("macvlan0", 1, "macvlan", "virtual"),
        ("macvtap0", 1, "macvtap", "virtual"),
        ("ipvl0", 1, "ipvlan", "virtual"),
    ],
)
def test_links_of_containers_and_hypervisors_are_known_by_how_they_were_made(
    name: str, hardware: int, info_kind: str, kind: LinkKind
) -> None:
    assert (name, classify(hardware, info_kind, Device())) == (name, kind)


def test_a_name_decides_nothing(tmp_path: Path) -> None:
    sysfs(tmp_path, "eth0", "rndis_host")

    assert classify(1, "", read_device("eth0", tmp_path)) == "usb_tether"


@pytest.mark.parametrize("name", ["../../etc", "..", ".", "", "a/b"])
def test_a_name_that_leaves_its_folder_reads_nothing(tmp_path: Path, name: str) -> None:
    assert read_device(name, tmp_path) == Device()


def test_every_kind_is_a_word_of_the_wire() -> None:
    kinds = {*INFO_KINDS.values(), *DRIVERS.values(), *DEVICE_TYPES.values()}

    assert kinds <= set(get_args(LinkKind))


def test_the_examples_of_the_file_are_true() -> None:
    assert doctest.testmod(linkkind).failed == 0
