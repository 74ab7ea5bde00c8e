"""An agent on a kernel with links that the tests' kernel lacks: Wi-Fi, wwan, USB tether, WireGuard, PPP.

    python encoded.py FOLDER run --config FILE

Its tables are the real ones, and behind them what `FOLDER/messages` holds: netlink messages as pyroute2's
encoder writes them, read by the agent's own decoders. What sysfs says of such a link stands in `FOLDER/sys`.
All else is the agent as it is: the kernel's event wakes it, and the report takes its usual way.
"""

import sys
from functools import partial
from pathlib import Path

from msgspec.structs import replace
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from agent.cli import main
from agent.netlink import linkkind, rtnetlink
from agent.netlink.message import split
from agent.sources.network import routing
from agent.sources.network.exits import Exits

ETHERNET, PPP, NONE = 1, 512, 65534
KINDS = {
    "wifi": (ETHERNET, "", "iwlwifi"),
    "wwan": (ETHERNET, "", "qmi_wwan"),
    "usb_tether": (ETHERNET, "", "rndis_host"),
    "wireguard": (NONE, "wireguard", ""),
    "ppp": (PPP, "ppp", ""),
}


def encoded(
    message: ifinfmsg | ifaddrmsg | rtmsg, kind: int, attrs: list[tuple[str, object]], **head: int
) -> bytes:
    """Return a message as the kernel would send it."""
    message["header"]["type"] = kind
    for name, value in head.items():
        message[name] = value
    message["attrs"] = attrs
    message.encode()
    return bytes(message.data)


def plug_in(folder: Path, kind: str, number: int) -> None:
    """Let a link of a kind appear, with an address and a default route; the one before it is gone."""
    hardware, made_as, driver = KINDS[kind]
    name, index, gateway = f"{kind[:5]}{number}", 5000 + number, f"192.168.{number % 250}.1"
    attrs: list[tuple[str, object]] = [("IFLA_IFNAME", name), ("IFLA_OPERSTATE", "UP"), ("IFLA_MTU", 1500)]
    if made_as:
        attrs.append(("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", made_as)]}))
    address = [("IFA_ADDRESS", f"192.168.{number % 250}.7"), ("IFA_LOCAL", f"192.168.{number % 250}.7")]
    route = [("RTA_GATEWAY", gateway), ("RTA_OIF", index), ("RTA_TABLE", 254), ("RTA_PRIORITY", 700)]
    data = (
        encoded(ifinfmsg(), rtnetlink.NEWLINK, attrs, index=index, ifi_type=hardware, flags=1)
        + encoded(ifaddrmsg(), rtnetlink.NEWADDR, address, family=2, prefixlen=24, index=index)
        + encoded(rtmsg(), rtnetlink.NEWROUTE, route, family=2, table=254, type=1, proto=16)
    )
    _describe(folder, name, driver)
    new = folder / "messages.new"
    new.write_bytes(data)
    new.rename(folder / "messages")


def _describe(folder: Path, name: str, driver: str) -> None:
    place = folder / "sys/class/net" / name
    place.mkdir(parents=True, exist_ok=True)
    if driver:
        (folder / "drivers" / driver).mkdir(parents=True, exist_ok=True)
        (place / "device").mkdir(exist_ok=True)
        if not (place / "device/driver").exists():
            (place / "device/driver").symlink_to(folder / "drivers" / driver)
    if driver == "iwlwifi":
        (place / "phy80211").mkdir(exist_ok=True)


def look(folder: Path) -> rtnetlink.Tables:
    """Return the kernel's tables and the encoded ones."""
    tables = rtnetlink.look()
    try:
        messages = list(split((folder / "messages").read_bytes()))
    except FileNotFoundError:
        return tables
    links = [rtnetlink.decode_link(one.payload) for one in messages if one.type == rtnetlink.NEWLINK]
    addresses = [rtnetlink.decode_address(one.payload) for one in messages if one.type == rtnetlink.NEWADDR]
    routes = [rtnetlink.decode_route(one.payload) for one in messages if one.type == rtnetlink.NEWROUTE]
    return replace(
        tables,
        links=(*tables.links, *links),
        addresses=(*tables.addresses, *(one for one in addresses if one)),
        routes=(*tables.routes, *(one for one in routes if one)),
    )


def describe(folder: Path, name: str, root: Path) -> linkkind.Device:
    """Return what sysfs says, of an encoded link from its own tree."""
    mine = (folder / "sys/class/net" / name).is_dir()
    return linkkind.read_device(name, folder if mine else root)


if __name__ == "__main__":
    PLACE = Path(sys.argv[1])
    defaults = Exits.__init__.__kwdefaults__
    defaults["look"] = partial(look, PLACE)
    routing.read_device = partial(describe, PLACE)
    sys.exit(main(sys.argv[2:]))
