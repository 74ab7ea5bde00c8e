"""Where a unit stands with its ways to the internet: what an authority wants to see go down. Pure.

declared      exits that the register names for the unit
observed      different ways out that its nodes have: a registered exit is one, each other next hop is one;
              a stick, a phone or a tunnel is its node's own (they all come with the same few addresses)
unsanctioned  those of them that are no registered exit
outside       nodes with a way out that is available, used or bridging
behind        nodes whose every way out is a registered exit
share         behind / (behind + outside); None where no node has a way out
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct

from wire.vocabulary import LinkKind, Verdict

from .judged import GRAVITY

UNSANCTIONED = frozenset({"available", "used", "bridging"})
_NODES_OWN: frozenset[LinkKind] = frozenset({"ppp", "tun", "usb_tether", "wireguard", "wwan"})


class Way(Struct, frozen=True):
    """A judged way out, as far as it is counted."""

    unit: str
    node: str
    key: str
    link: str
    link_kind: LinkKind
    verdict: Verdict
    next_hop: str | None
    sanctioned_by: str | None

    @property
    def exit(self) -> str:
        """What it is counted as: a name that the ways of other nodes have too if they share the exit."""
        if self.sanctioned_by:
            return self.sanctioned_by
        if self.next_hop is None or self.link_kind in _NODES_OWN:
            return f"{self.node}/{self.link}"
        return self.next_hop


class Standing(Struct, frozen=True):
    """Where a unit stands; `nodes` are those with an agent."""

    declared: int = 0
    observed: int = 0
    unsanctioned: int = 0
    nodes: int = 0
    outside: int = 0
    behind: int = 0

    @property
    def share(self) -> float | None:
        """The share of nodes that go out by registered exits alone."""
        return self.behind / (self.behind + self.outside) if self.behind + self.outside else None


def standing(ways: Iterable[Way], declared: int, nodes: int) -> Standing:
    """Return where one unit stands by its live ways out.

    >>> ways = [
    ...     Way("u", "a", "way/eth0/10.0.0.1/4", "eth0", "wired", "sanctioned", "10.0.0.1", "unified"),
    ...     Way("u", "b", "way/eth0/10.0.0.1/4", "eth0", "wired", "sanctioned", "10.0.0.1", "unified"),
    ...     Way("u", "b", "way/usb0/10.1.0.1/4", "usb0", "usb_tether", "used", "10.1.0.1", None),
    ... ]
    >>> standing(ways, declared=1, nodes=3).share
    0.5
    """
    by_node: dict[str, set[Verdict]] = defaultdict(set)
    observed: dict[str, Verdict] = {}
    for way in ways:
        if way.key.startswith(("way/", "proxy/", "gateway", "bridging/")):
            by_node[way.node].add(way.verdict)
        if way.key.startswith(("way/", "proxy/")) and way.verdict != "unknown":
            # Where one gateway is right for some nodes and not for others, the gravest counts.
            observed[way.exit] = max(
                way.verdict, observed.get(way.exit, way.verdict), key=GRAVITY.__getitem__
            )
    outside = {node for node, verdicts in by_node.items() if verdicts & UNSANCTIONED}
    behind = {node for node, verdicts in by_node.items() if verdicts == {"sanctioned"}}
    return Standing(
        declared=declared,
        observed=len(observed),
        unsanctioned=sum(verdict in UNSANCTIONED for verdict in observed.values()),
        nodes=nodes,
        outside=len(outside),
        behind=len(behind),
    )


def together(standings: Mapping[str, Standing]) -> Standing:
    """Return the sum of several units."""
    rows = list(standings.values())
    return Standing(*(sum(getattr(row, name) for row in rows) for name in Standing.__struct_fields__))
