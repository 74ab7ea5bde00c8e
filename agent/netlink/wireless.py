"""Which wireless network a link is in: the SSID, asked of nl80211 over generic netlink.

controller: "what number has nl80211?" -> number (none: no wireless in this kernel)
nl80211:    "all interfaces"           -> link, SSID where it is in a network
"""

import struct

from .message import NetlinkError, attributes, dump

NETLINK_GENERIC = 16
CONTROLLER = 0x10
_GET_FAMILY, _GET_INTERFACE, _NEW_INTERFACE = 3, 5, 7
_FAMILY_ID, _FAMILY_NAME = 1, 2
_IFINDEX, _SSID = 3, 52
_GENERIC = struct.Struct("=BBH")
_MAX_SSID = 32


def ssids() -> dict[int, str]:
    """Return the SSID of each link that is in a wireless network, by the link's number.

    Raises:
        NetlinkError: the kernel refused, or its answer could not be read.
        OSError: no netlink here.
    """
    family = _family("nl80211")
    if family is None:
        return {}
    rows = dump(NETLINK_GENERIC, family, _GENERIC.pack(_GET_INTERFACE, 0, 0))
    return dict(found for row in rows if (found := decode_interface(row.payload)))


def _family(name: str) -> int | None:
    """Return the number of a generic family; None: this kernel has none of that name."""
    for row in dump(NETLINK_GENERIC, CONTROLLER, _GENERIC.pack(_GET_FAMILY, 1, 0)):
        found = decode_family(row.payload)
        if found and found[0] == name:
            return found[1]
    return None


def decode_family(payload: bytes) -> tuple[str, int] | None:
    """Return name and number of a generic family.

    Raises:
        NetlinkError: damaged bytes.
    """
    found = _body(payload)
    name, number = found.get(_FAMILY_NAME, b""), found.get(_FAMILY_ID, b"")
    if not name or len(number) != 2:
        return None
    return name.rstrip(b"\0").decode("ascii", "replace"), int(struct.unpack("=H", number)[0])


def decode_interface(payload: bytes) -> tuple[int, str] | None:
    """Return a link's number and its SSID, None where it is in no network.

    An SSID is 32 bytes of anything; what is no text is shown as such, and nothing in it can break a line.

    Raises:
        NetlinkError: damaged bytes.
    """
    found = _body(payload)
    ssid, index = found.get(_SSID, b""), found.get(_IFINDEX, b"")
    if not ssid or len(index) != 4 or payload[0] != _NEW_INTERFACE:
        return None
    text = ssid[:_MAX_SSID].decode("utf-8", "backslashreplace")
    shown = "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)
    return int(struct.unpack("=I", index)[0]), shown


def _body(payload: bytes) -> dict[int, bytes]:
    if len(payload) < _GENERIC.size:
        raise NetlinkError(f"generic message of {len(payload)} bytes, its head has {_GENERIC.size}")
    return attributes(payload[_GENERIC.size :])
