r"""The kernel's word that a device came or went (NETLINK_KOBJECT_UEVENT): a phone or a stick is plugged in.

A network device of a dongle makes a link, and the link an rtnetlink event of its own; what only this tells is
the moment before: the driver is bound, or `usb_modeswitch` is about to turn a "disk" into a modem.

>>> read(b"add@/devices/usb1/1-1\0SUBSYSTEM=usb\0PRODUCT=12d1/1f01/102\0").product
'12d1/1f01/102'
"""

from msgspec import Struct

from .events import Events
from .message import NetlinkError

NETLINK_KOBJECT_UEVENT = 15
_KERNEL = 1
_MAX_BYTES = 1 << 14
_NETWORK = frozenset({"net", "ieee80211", "wwan", "usb", "tty", "bluetooth"})


class Device(Struct, frozen=True):
    """What one event says."""

    action: str
    path: str
    subsystem: str
    driver: str
    product: str
    interface: str

    @property
    def matters(self) -> bool:
        """Whether a link may come of it."""
        return self.subsystem in _NETWORK


def read(datagram: bytes) -> Device:
    """Return the device of an event: `action@path`, then `KEY=value`, each ended by a zero byte.

    Raises:
        NetlinkError: it is not one (udev's own messages, which begin with `libudev`, are none either).
    """
    if len(datagram) > _MAX_BYTES:
        raise NetlinkError(f"uevent of {len(datagram)} bytes, expected at most {_MAX_BYTES}")
    head, *rest = datagram.decode("utf-8", "replace").split("\0")
    action, at, path = head.partition("@")
    if not at or not action.isalpha():
        raise NetlinkError(f"uevent begins with {head[:40]!r}, expected action@path")
    values = dict(line.partition("=")[::2] for line in rest if "=" in line)
    return Device(
        action=action,
        path=path,
        subsystem=values.get("SUBSYSTEM", ""),
        driver=values.get("DRIVER", ""),
        product=values.get("PRODUCT", ""),
        interface=values.get("INTERFACE", ""),
    )


class Devices:
    """The socket on which devices come and go."""

    def __init__(self) -> None:
        """Begin to listen.

        Raises:
            OSError: no netlink here.
        """
        self._events = Events(NETLINK_KOBJECT_UEVENT, (_KERNEL,))

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._events.fileno()

    def drain(self) -> bool:
        """Read everything that waits; say whether a link may come of any of it, an overflow included."""
        overflows = self._events.overflows
        waiting = self._events.drain()
        return self._events.overflows > overflows or any(_matters(datagram) for datagram in waiting)

    def close(self) -> None:
        """Close the socket."""
        self._events.close()


def _matters(datagram: bytes) -> bool:
    try:
        return read(datagram).matters
    except NetlinkError:
        return False
