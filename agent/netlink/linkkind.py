"""What kind of link this is: how its packets leave the host, not what it is called.

Judged in this order, because each is harder to dress up than the next: the hardware type, the kind the
kernel made the link as, the driver, what sysfs says of the device. A name decides nothing.
"""

from pathlib import Path

from msgspec import Struct

from wire.vocabulary import LinkKind

ARPHRD_RAWIP, ARPHRD_NONE = 519, 65534
HARDWARE: dict[int, LinkKind] = {512: "ppp", 772: "loopback"}

INFO_KINDS: dict[str, LinkKind] = {
    "amneziawg": "wireguard",
    "bridge": "bridge",
    "erspan": "tun",
    "geneve": "tun",
    "gre": "tun",
    "gretap": "tun",
    "ip6erspan": "tun",
    "ip6gre": "tun",
    "ip6gretap": "tun",
    "ip6tnl": "tun",
    "ipip": "tun",
    "netkit": "container",
    "openvswitch": "bridge",
    "ovpn": "tun",
    "ppp": "ppp",
    "rmnet": "wwan",
    "sit": "tun",
    "tun": "tun",
    "veth": "container",
    "vti": "tun",
    "vti6": "tun",
    "vxlan": "tun",
    "wireguard": "wireguard",
    "wwan": "wwan",
    "xfrm": "tun",
}
DRIVERS: dict[str, LinkKind] = {
    "cdc_ether": "usb_tether",
    "cdc_mbim": "wwan",
    "cdc_ncm": "usb_tether",
    "hso": "wwan",
    "huawei_cdc_ncm": "wwan",
    "iosm": "wwan",
    "ipheth": "usb_tether",
    "mhi_net": "wwan",
    "mhi_wwan_mbim": "wwan",
    "mtk_t7xx": "wwan",
    "option": "wwan",
    "qmi_wwan": "wwan",
    "qmi_wwan_q": "wwan",
    "rndis_host": "usb_tether",
    "sierra_net": "wwan",
}
# A dock or a dongle also speaks these; the kernel's own word for a modem (DEVTYPE) goes first.
DEVICE_TYPES: dict[str, LinkKind] = {
    "bluetooth": "usb_tether",
    "bond": "virtual",
    "bridge": "bridge",
    "ppp": "ppp",
    "vlan": "virtual",
    "wiphy": "wifi",
    "wlan": "wifi",
    "wwan": "wwan",
}


class Device(Struct, frozen=True):
    """What sysfs says of a link: driver, DEVTYPE, USB ids; whether it has a radio, a tun end, a device."""

    driver: str = ""
    type: str = ""
    wireless: bool = False
    tunnel: bool = False
    physical: bool = False
    usb: str = ""


def read_device(name: str, root: Path = Path("/")) -> Device:
    """Return what `root`/sys/class/net/`name` says; what is not there stays empty."""
    place = root / "sys/class/net" / name
    if "/" in name or name in {"", ".", ".."} or not place.is_dir():
        return Device()
    driver = place / "device/driver"
    return Device(
        driver=driver.resolve().name if driver.exists() else "",
        type=_device_type(place / "uevent"),
        wireless=(place / "phy80211").exists() or (place / "wireless").exists(),
        tunnel=(place / "tun_flags").exists(),
        physical=(place / "device").exists(),
        usb=_usb(place / "device"),
    )


def _usb(device: Path) -> str:
    """Return `vendor:product` of the USB device that the link's interface is of, empty where it is none."""
    try:
        whole = device.resolve(strict=True).parent
        return ":".join((whole / name).read_text("ascii").strip()[:8] for name in ("idVendor", "idProduct"))
    except (OSError, ValueError, RuntimeError):
        return ""


def _device_type(uevent: Path) -> str:
    try:
        text = uevent.read_text("utf-8", "replace")
    except OSError:
        return ""
    return next((line[8:] for line in text.splitlines() if line.startswith("DEVTYPE=")), "")


def classify(hardware: int, info_kind: str, device: Device) -> LinkKind:
    """Return the kind of a link.

    >>> classify(1, "", Device(driver="rndis_host", physical=True))
    'usb_tether'
    >>> classify(1, "", Device(driver="e1000e", physical=True))
    'wired'
    >>> classify(1, "", Device(driver="cdc_ether", type="wwan", physical=True))
    'wwan'
    """
    return (
        HARDWARE.get(hardware)
        or (INFO_KINDS.get(info_kind, "virtual") if info_kind else None)
        or ("wifi" if device.wireless else None)
        or DEVICE_TYPES.get(device.type)
        or DRIVERS.get(device.driver)
        or ("wwan" if hardware == ARPHRD_RAWIP else None)
        or ("tun" if device.tunnel or hardware == ARPHRD_NONE else None)
        or ("wired" if device.physical else "unknown")
    )
