"""Who is let out under this host's address: masquerade and source translation in the firewall's rules.

Rules of `nft` and of iptables over nftables are both in that table. A rule is a list of expressions; the one
that translates is `masq`, `nat` or the old `target`, and a `meta oifname` compared before it names the way:

    meta oifname -> register     cmp register == "eth1"     masq

Reading it needs CAP_NET_ADMIN. The old iptables keeps its rules elsewhere (`iptables.py`); that it has a NAT
table at all is told by /proc/net/ip_tables_names, and stays told where the rules may not be read.
"""

import errno
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from . import iptables
from .events import Events
from .message import NetlinkError, attributes, dump, each_attribute

NETLINK_NETFILTER = 12
_NFTABLES = 10 << 8
NEWRULE, GETRULE = _NFTABLES | 6, _NFTABLES | 7
_GROUP_NFTABLES = 7
_HEAD = 4
_TABLE, _CHAIN, _EXPRESSIONS = 1, 2, 4
_NAME, _DATA = 1, 2
_META_KEY, _META_OIFNAME = 2, 7
_CMP_OPERATION, _CMP_DATA, _VALUE = 2, 3, 1
_EQUAL = 0
_NAT_TYPE, _SOURCE_NAT = 1, 0
_TARGETS = {"MASQUERADE": "masquerade", "SNAT": "snat"}
_FAMILIES = {1: "inet", 2: "ip", 10: "ip6"}
_MAX_RULES = 64


class Translation(Struct, frozen=True):
    """A rule that hides others behind this host; `outgoing` is the link it is for, empty: any."""

    family: str
    table: str
    chain: str
    action: str
    outgoing: str


def _text(data: bytes | None) -> str:
    return data.split(b"\0", 1)[0].decode("utf-8", "replace") if data else ""


def _action(name: str, data: dict[int, bytes]) -> str:
    """Return what an expression does to the source address, empty: nothing."""
    if name == "masq":
        return "masquerade"
    if name == "nat" and int.from_bytes(data.get(_NAT_TYPE, b"\1")) == _SOURCE_NAT:
        return "snat"
    return _TARGETS.get(_text(data.get(1)), "") if name == "target" else ""


def _link(data: dict[int, bytes]) -> str:
    """Return the one link that a comparison lets through; empty: all but one, or all whose names begin so."""
    value = attributes(data.get(_CMP_DATA, b"")).get(_VALUE, b"")
    equal = int.from_bytes(data.get(_CMP_OPERATION, b"")) == _EQUAL
    return _text(value) if equal and b"\0" in value else ""


def decode_rule(payload: bytes) -> Translation | None:
    """Return the translation of an NFT_MSG_NEWRULE message, None where the rule is none.

    Raises:
        NetlinkError: damaged bytes.
    """
    if len(payload) < _HEAD:
        raise NetlinkError(f"netfilter message of {len(payload)} bytes, its head has {_HEAD}")
    found = attributes(payload[_HEAD:])
    outgoing, compares = "", False
    for _, element in each_attribute(found.get(_EXPRESSIONS, b"")):
        expression = attributes(element)
        name, data = _text(expression.get(_NAME)), attributes(expression.get(_DATA, b""))
        if name == "cmp" and compares:
            outgoing = _link(data)
        elif action := _action(name, data):
            family = _FAMILIES.get(payload[0], str(payload[0]))
            return Translation(family, _text(found.get(_TABLE)), _text(found.get(_CHAIN)), action, outgoing)
        compares = name == "meta" and int.from_bytes(data.get(_META_KEY, b"")) == _META_OIFNAME
    return None


def translations(root: Path = Path("/")) -> tuple[Translation, ...]:
    """Return the rules by which this host lets others out, 64 at most.

    Raises:
        NetlinkError: the kernel refused (no CAP_NET_ADMIN), or its answer could not be read.
        OSError: nftables may not be asked here (a sandbox).
    """
    return (*_legacy(root), *_rules())[:_MAX_RULES]


def _rules() -> Iterator[Translation]:
    try:
        rows = dump(NETLINK_NETFILTER, GETRULE, bytes(_HEAD))
    except OSError as error:
        if error.errno != errno.EPROTONOSUPPORT:
            raise
        return  # a kernel without netfilter has no such rules
    for row in rows:
        found = decode_rule(row.payload) if row.type == NEWRULE else None
        if found:
            yield found


def _legacy(root: Path) -> Iterator[Translation]:
    for family in (iptables.IPV4, iptables.IPV6):
        place = root / f"proc/net/{family.name}_tables_names"
        try:
            names = place.read_text("ascii", "replace").split()
        except OSError:
            continue
        if "nat" in names:
            yield from _old_rules(family)


def _old_rules(family: iptables.Family) -> Iterator[Translation]:
    try:
        rules = iptables.read(family, "nat")
    except (OSError, NetlinkError):
        yield Translation(family.name, "nat", "", "table_present", "")
        return
    for rule in rules:
        if rule.target in _TARGETS:
            yield Translation(family.name, "nat", rule.chain, _TARGETS[rule.target], rule.outgoing)


class RuleChanges(Events):
    """The socket on which nftables says that its rules changed."""

    def __init__(self) -> None:
        """Begin to listen.

        Raises:
            OSError: no nftables here, or no right to it (CAP_NET_ADMIN).
        """
        super().__init__(NETLINK_NETFILTER, (_GROUP_NFTABLES,))
