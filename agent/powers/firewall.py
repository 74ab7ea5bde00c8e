"""Blocks and isolation as a table of the kernel's packet filter that is ours alone: `table inet fengsui`.

::

    block 203.0.113.9 for 1 h    element of the set `blocked4`, timeout 3600 s
    isolate for 1 h              elements 0.0.0.0/1, 128.0.0.0/1 of `isolated4`, ::/1, 8000::/1 of `isolated6`
    the time is over             the kernel drops the elements: no process has to live for that
    the agent is gone            likewise

    each packet  lo: accept | blocked and not never: drop | kept: accept | isolated: drop
                 (what IP itself lives by, neighbours, errors that come in and the renewal of
                 the node's addresses, is kept too)

`never` and `kept` are written anew with every change. A hook of ours only ever drops: `accept` here leaves
the packet to every other table. Documents go to `nft -j -f -` as JSON, in one transaction each.
"""

import json
import subprocess
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, TypeAlias

from msgspec import Struct

Network: TypeAlias = IPv4Network | IPv6Network
TABLE = "fengsui"
_SECONDS = 20
_PRIORITY = -290  # before other filters, behind the defragmentation of packets
_SETS = ("blocked4", "blocked6", "isolated4", "isolated6")
_EVERYTHING = ("0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1")
# A switch that hears no more reports of listeners passes nobody's solicitations on to this node.
_NEIGHBOURS = [
    *("nd-router-solicit", "nd-router-advert", "nd-neighbor-solicit", "nd-neighbor-advert"),
    *("mld-listener-query", "mld-listener-report", "mld-listener-reduction", "mld2-listener-report"),
]
# Client's and server's port. A lease that can't be renewed takes the node's address away, and the collector
# with it. A server may be anywhere behind a relay; only root sends from such a port.
_LEASES = (("ipv4", 68, 67), ("ipv6", 546, 547))
# What tells a sender how long a packet may be, and that nobody is there: without it a collector behind a
# narrower line is lost, as every full packet is.
_ERRORS = (
    ("icmp", ["destination-unreachable", "time-exceeded", "parameter-problem"]),
    ("icmpv6", ["destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem"]),
)


class FirewallError(RuntimeError):
    """The kernel's packet filter could not be changed; nothing was."""


class Block(Struct, frozen=True):
    """An element in a set: a network, and the seconds until the kernel drops it."""

    network: Network
    seconds: int


class Kept(Struct, frozen=True):
    """What stays reachable in isolation: addresses with all or one TCP and UDP port; 0 is all."""

    network: Network
    port: int = 0


class Guard(Struct, frozen=True):
    """What the rules are made of: networks never blocked, and what isolation lets through."""

    never: tuple[Network, ...] = ()
    kept: tuple[Kept, ...] = ()


class Firewall:
    """Our table. `argv` is the command: `nft`, or `nft` inside a namespace."""

    def __init__(self, argv: Sequence[str] = ("nft",)) -> None:
        self._argv = tuple(argv)

    def blocks(self) -> list[Block]:
        """Return what is blocked, and for how long still."""
        return self._elements("blocked4") + self._elements("blocked6")

    def isolated(self) -> int:
        """Return the seconds of isolation left; 0: it is not isolated."""
        left = [block.seconds for block in self._elements("isolated4") + self._elements("isolated6")]
        return min(left) if len(left) == len(_EVERYTHING) else 0

    def block(self, network: Network, seconds: int, guard: Guard, *, dry_run: bool = False) -> bool:
        """Block a network; False where it is blocked as long already. `dry_run`: the kernel only judges it.

        Raises:
            FirewallError: it could not be done.
        """
        name = f"blocked{network.version}"
        standing = [one for one in self._elements(name) if one.network.overlaps(network)]
        if any(_covers(one.network, network) and one.seconds >= seconds - 1 for one in standing):
            return False
        wider = [one for one in standing if _covers(one.network, network) and one.network != network]
        if wider:
            raise FirewallError(
                f"{network} lies in the block of {wider[0].network}, which ends in {wider[0].seconds} s; "
                "unblock that first"
            )
        changes = [_element("delete", name, one.network) for one in standing]
        longest = max([seconds, *(one.seconds for one in standing)])
        changes.append(_element("add", name, network, longest))
        self._apply([*_table(), *_rules(guard), *changes], dry_run=dry_run)
        return True

    def unblock(self, network: Network) -> bool:
        """End the block of exactly this network; False where there is none."""
        name = f"blocked{network.version}"
        if not any(one.network == network for one in self._elements(name)):
            return False
        self._apply([_element("delete", name, network)])
        return True

    def isolate(self, seconds: int, guard: Guard, *, dry_run: bool = False) -> bool:
        """Drop all but what is kept; False where it is isolated as long already. See `block`."""
        if self.isolated() >= seconds - 1:
            return False
        changes = self._deletions()
        for text in _EVERYTHING:
            network = ip_network(text)
            changes.append(_element("add", f"isolated{network.version}", network, seconds))
        self._apply([*_table(), *_rules(guard), *changes], dry_run=dry_run)
        return True

    def refresh(self, guard: Guard) -> bool:
        """Write the rules anew where blocks or an isolation stand; False where none does."""
        if not any(self._elements(name) for name in _SETS):
            return False
        self._apply([*_table(), *_rules(guard)])
        return True

    def holds(self) -> bool:
        """Whether our table is there."""
        return self._run(["-j", "list", "set", "inet", TABLE, _SETS[0]], None) is not None

    def release(self) -> bool:
        """End the isolation; False where there is none."""
        changes = self._deletions()
        if changes:
            self._apply(changes)
        return bool(changes)

    def _deletions(self) -> list[dict[str, Any]]:
        return [
            _element("delete", name, one.network)
            for name in ("isolated4", "isolated6")
            for one in self._elements(name)
        ]

    def _elements(self, name: str) -> list[Block]:
        answer = self._run(["-j", "list", "set", "inet", TABLE, name], None)
        if answer is None:
            return []
        return elements(answer)

    def _apply(self, changes: list[dict[str, Any]], *, dry_run: bool = False) -> None:
        document = json.dumps({"nftables": changes}).encode()
        if self._run([*(["-c"] if dry_run else []), "-j", "-f", "-"], document) is None:
            raise FirewallError("the kernel's packet filter lost our table meanwhile; try again")

    def _run(self, words: list[str], document: bytes | None) -> bytes | None:
        """Return what `nft` printed; None where our table is not there."""
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command; addresses go in as JSON
                [*self._argv, *words],
                input=document or b"",
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise FirewallError("nft is not installed on this node (package nftables)") from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise FirewallError(f"nft: {error}") from None
        if done.returncode == 0:
            return done.stdout
        why = done.stderr.decode("utf-8", "replace").strip()
        if "No such file or directory" in why:
            return None
        raise FirewallError(f"nft: {why[:300]}")


def elements(answer: bytes) -> list[Block]:
    """Return the elements of the set that `nft -j list set` prints.

    Raises:
        FirewallError: it prints something else.
    """
    try:
        for entry in json.loads(answer)["nftables"]:
            if "set" in entry:
                return [_block(element) for element in entry["set"].get("elem", [])]
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise FirewallError(f"nft prints what is no set: {type(error).__name__}: {error}"[:300]) from None
    return []


def _covers(one: Network, other: Network) -> bool:
    return one.version == other.version and other.subnet_of(one)  # type: ignore[arg-type]


def _value(network: Network) -> Any:  # noqa: ANN401 - nft's JSON
    address = str(network.network_address)
    if network.prefixlen == network.max_prefixlen:
        return address
    return {"prefix": {"addr": address, "len": network.prefixlen}}


def _element(verb: str, name: str, network: Network, seconds: int = 0) -> dict[str, Any]:
    value = _value(network)
    element = {"elem": {"val": value, "timeout": seconds}} if seconds else value
    return {verb: {"element": {"family": "inet", "table": TABLE, "name": name, "elem": [element]}}}


def _block(element: Any) -> Block:  # noqa: ANN401 - nft's JSON
    held = element["elem"] if isinstance(element, dict) and "elem" in element else {"val": element}
    value = held["val"]
    prefix = value.get("prefix") if isinstance(value, dict) else None
    network = ip_network(f"{prefix['addr']}/{prefix['len']}" if prefix else value)
    return Block(network, int(held.get("expires", held.get("timeout", 0))))


def _table() -> list[dict[str, Any]]:
    """The table, its sets and its empty chains; making them again changes nothing, the chains begin anew."""
    made: list[dict[str, Any]] = [{"add": {"table": {"family": "inet", "name": TABLE}}}]
    for name in ("blocked", "isolated"):
        for version, kind in ((4, "ipv4_addr"), (6, "ipv6_addr")):
            timed = {"type": kind, "flags": ["interval", "timeout"]}
            made.append({"add": {"set": _named(f"{name}{version}") | timed}})
    for hook in ("input", "output", "forward"):
        chain = _named(hook) | {"type": "filter", "hook": hook, "prio": _PRIORITY, "policy": "accept"}
        made += [{"add": {"chain": chain}}, {"flush": {"chain": _named(hook)}}]
    for name in ("blocks_input", "blocks_output"):
        made += [{"add": {"chain": _named(name)}}, {"flush": {"chain": _named(name)}}]
    return made


def _named(name: str) -> dict[str, Any]:
    return {"family": "inet", "table": TABLE, "name": name}


def _rules(guard: Guard) -> list[dict[str, Any]]:
    """The rules of all chains, in the order of the room's picture."""
    made: list[dict[str, Any]] = []
    for hook, link, far in (("input", "iifname", "saddr"), ("output", "oifname", "daddr")):
        made.append(_rule(hook, [_match({"meta": {"key": link}}, "lo")], "accept"))
        blocks = f"blocks_{hook}"
        made.append(_rule(hook, [], {"jump": {"target": blocks}}))
        made += [_rule(blocks, [_address(far, network)], "return") for network in guard.never]
        made += [_rule(blocks, [_in(far, f"blocked{version}")], "drop") for version in (4, 6)]
        made.append(_rule(hook, [_icmp("icmpv6", _NEIGHBOURS)], "accept"))
        made += [_rule(hook, match, "accept") for match in _leases(hook)]
        if hook == "input":
            made += [_rule(hook, [_icmp(protocol, types)], "accept") for protocol, types in _ERRORS]
        made += [rule for one in guard.kept for rule in _keep(hook, far, one)]
        made += [_rule(hook, [_in(far, f"isolated{version}")], "drop") for version in (4, 6)]
    for far in ("saddr", "daddr"):
        made += [
            _rule("forward", [_in(far, f"{name}{version}")], "drop")
            for name in ("blocked", "isolated")
            for version in (4, 6)
        ]
    return made


def _keep(hook: str, far: str, kept: Kept) -> list[dict[str, Any]]:
    where = _address(far, kept.network)
    if not kept.port:
        return [_rule(hook, [where], "accept")]
    side = "sport" if far == "saddr" else "dport"
    return [
        _rule(hook, [where, _match({"payload": {"protocol": protocol, "field": side}}, kept.port)], "accept")
        for protocol in ("tcp", "udp")
    ]


def _leases(hook: str) -> list[list[dict[str, Any]]]:
    """What tells the traffic of DHCP: both ports; an IPv6 server of the link may answer from any."""
    found = []
    for family, client, server in _LEASES:
        ports = (client, server) if hook == "output" else (server, client)
        fields = zip(("sport", "dport"), ports, strict=True)
        found.append(
            [_match({"meta": {"key": "nfproto"}}, family)] + [_udp(field, port) for field, port in fields]
        )
    if hook == "input":
        found.append([_address("saddr", ip_network("fe80::/10")), _udp("dport", 546)])
    return found


def _udp(field: str, port: int) -> dict[str, Any]:
    return _match({"payload": {"protocol": "udp", "field": field}}, port)


def _rule(chain: str, matches: list[dict[str, Any]], verdict: str | dict[str, Any]) -> dict[str, Any]:
    does = {verdict: None} if isinstance(verdict, str) else verdict
    expression = [*matches, {"counter": {"packets": 0, "bytes": 0}}, does]
    return {"add": {"rule": {"family": "inet", "table": TABLE, "chain": chain, "expr": expression}}}


def _match(left: dict[str, Any], right: object) -> dict[str, Any]:
    return {"match": {"op": "==", "left": left, "right": right}}


def _icmp(protocol: str, types: list[str]) -> dict[str, Any]:
    return _match({"payload": {"protocol": protocol, "field": "type"}}, {"set": types})


def _address(far: str, network: Network) -> dict[str, Any]:
    return _match(_far(far, network.version), _value(network))


def _in(far: str, name: str) -> dict[str, Any]:
    return _match(_far(far, int(name[-1])), f"@{name}")


def _far(far: str, version: int) -> dict[str, Any]:
    return {"payload": {"protocol": "ip" if version == 4 else "ip6", "field": far}}
