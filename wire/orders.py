"""What a collector may ask of a node: a closed list of kinds, each with typed parameters.

Both sides read them here: the collector before it issues an order, the node before it does anything. An
address is read as an address and a number as a number; nowhere is there code, a command or a path to write.

>>> from wire.orders import read_params
>>> read_params("block_address", {"address": "203.0.113.9"})
BlockAddress(address='203.0.113.9', seconds=3600)
>>> read_params("block_address", {"address": "203.0.113.9; rm"})
Traceback (most recent call last):
    ...
wire.orders.ParamsError: params.address: found '203.0.113.9; rm', expected an IP address or network
"""

from collections.abc import Mapping
from ipaddress import IPv4Network, ip_network
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from .vocabulary import OrderKind

LONGEST_DAYS = 7
"""How far ahead a deadline may lie; a node remembers ended orders for longer, so that none is replayed."""
Text = Annotated[str, Meta(min_length=1, max_length=128)]
Seconds = Annotated[int, Meta(ge=10, le=7 * 86400)]
Address = Annotated[str, Meta(min_length=2, max_length=64)]
Item = Literal["sockets", "processes", "routes"]


class ParamsError(ValueError):
    """Parameters that the kind of order does not take."""


class _Params(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class CollectEvidence(_Params, frozen=True):
    """Write down what runs; absent means all. `logs` are names of the node's own settings."""

    items: Annotated[tuple[Item, ...], Meta(max_length=32)] | None = None
    logs: Annotated[tuple[Text, ...], Meta(max_length=32)] | None = None


class BlockAddress(_Params, frozen=True):
    """Drop what comes from and goes to an address or network; the kernel ends it after `seconds`."""

    address: Address
    seconds: Seconds = 3600


class UnblockAddress(_Params, frozen=True):
    """End a block before its time."""

    address: Address


class IsolateNode(_Params, frozen=True):
    """Let the node talk to its collectors alone; the kernel ends it after `seconds`."""

    seconds: Seconds = 3600


class ReleaseNode(_Params, frozen=True):
    """End an isolation before its time."""


class StopProcess(_Params, frozen=True):
    """End a process: the number with the program it runs, since numbers are used again."""

    pid: Annotated[int, Meta(ge=2, le=2**22)]
    program: Annotated[str, Meta(min_length=1, max_length=4096)]


class SnapshotTraffic(_Params, frozen=True):
    """Keep the beginning of each packet for a while, as a pcap file in evidence."""

    seconds: Annotated[int, Meta(ge=1, le=300)] = 30
    interface: Annotated[str, Meta(min_length=1, max_length=15)] | None = None
    address: Address | None = None
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    packet_bytes: Annotated[int, Meta(ge=64, le=65535)] = 256


class Rescan(_Params, frozen=True):
    """Have sources look anew and tell the full picture; absent means all that run."""

    sources: Annotated[tuple[Text, ...], Meta(max_length=32)] | None = None


class RenewCertificate(_Params, frozen=True):
    """Make a fresh key and get a certificate for it."""


class ApplySettings(_Params, frozen=True):
    """Lay settings over the node's own; `version` ascends, an older one is refused."""

    version: Annotated[int, Meta(ge=1, le=2**53)]
    settings: dict[str, Any]


Params: TypeAlias = (
    CollectEvidence
    | BlockAddress
    | UnblockAddress
    | IsolateNode
    | ReleaseNode
    | StopProcess
    | SnapshotTraffic
    | Rescan
    | RenewCertificate
    | ApplySettings
)

PARAMS: dict[OrderKind, type[Params]] = {
    "collect_evidence": CollectEvidence,
    "block_address": BlockAddress,
    "unblock_address": UnblockAddress,
    "isolate_node": IsolateNode,
    "release_node": ReleaseNode,
    "stop_process": StopProcess,
    "snapshot_traffic": SnapshotTraffic,
    "rescan": Rescan,
    "renew_certificate": RenewCertificate,
    "apply_settings": ApplySettings,
}
MAX_PARAMS = 64 * 1024
_MAPPED_BITS = 96


def read_params(kind: OrderKind, params: Mapping[str, Any]) -> Params:
    """Return the parameters of an order as its kind's struct.

    Raises:
        ParamsError: they are not what the kind takes; the text names the place.
    """
    try:
        size = len(msgspec.json.encode(params))
    except (TypeError, ValueError, RecursionError) as error:
        raise ParamsError(f"params: can't be read ({error})") from None
    if size > MAX_PARAMS:
        raise ParamsError(f"params: found {size} bytes, expected at most {MAX_PARAMS}")
    try:
        read = msgspec.convert(params, PARAMS[kind])
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        raise ParamsError(f"params{where.rstrip('`')}: {what[:300]}") from None
    address = getattr(read, "address", None)
    if address is None:
        return read
    if not is_address(address):
        raise ParamsError(f"params.address: found {address[:80]!r}, expected an IP address or network")
    return msgspec.structs.replace(read, address=as_on_the_wire(address))


def as_on_the_wire(address: str) -> str:
    """Return an address or network as packets bear it.

    A program that listens for both families writes of an IPv4 peer as of an IPv6 one, and so do its logs; no
    packet has that address, so that a block of it would drop nothing.

    >>> [as_on_the_wire(text) for text in ("::ffff:203.0.113.9", "::ffff:c000:200/120", "2001:db8::/32")]
    ['203.0.113.9', '192.0.2.0/24', '2001:db8::/32']
    """
    network = ip_network(address)
    inside = network.prefixlen - _MAPPED_BITS
    if isinstance(network, IPv4Network) or inside < 0 or network.network_address.ipv4_mapped is None:
        return address
    plain = network.network_address.ipv4_mapped
    return str(plain) if inside == plain.max_prefixlen else f"{plain}/{inside}"


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address or network, without host bits and without a scope.

    >>> [is_address(text) for text in ("192.0.2.0/24", "2001:db8::1", "192.0.2.1/24", "fe80::1%eth0")]
    [True, True, False, False]
    """
    try:
        ip_network(text)
    except ValueError:
        return False
    return "%" not in text
