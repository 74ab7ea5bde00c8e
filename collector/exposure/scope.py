"""What the register allows one node: its zone's policy and the exits that serve it."""

from msgspec import Struct

from wire.vocabulary import Zone

from ..registry import Address, Asset, Network, Registry, SanctionedExit, ZonePolicy
from .facts import network

_NEVER_OUTSIDE = tuple(
    network(text)
    for text in (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/3",
        "::/127",
        "fe80::/10",
        "ff00::/8",
    )
)


class Scope(Struct, frozen=True, kw_only=True):
    """What a node may do, by the register.

    Fields:
        zone: The zone of the node's asset; None where the register does not know the asset.
        joins: Other zones the asset is meant to have a leg in.
        policy: What nodes of the zone may have.
        exits: Sanctioned exits that serve the node.
        inside: Version, first and last address of every range that is not the internet.
    """

    registry: Registry
    zone: Zone | None
    joins: tuple[Zone, ...]
    policy: ZonePolicy
    exits: tuple[SanctionedExit, ...]
    inside: tuple[tuple[int, int, int], ...]

    def outside(self, address: Address) -> bool:
        """Whether an address is on the internet, as far as the register tells."""
        return not (any(address in inside for inside in _NEVER_OUTSIDE) or self.registry.is_internal(address))

    def leads_outside(self, destination: Network) -> bool:
        """Whether a route to `destination` takes in addresses outside."""
        first, last = int(destination.network_address), int(destination.broadcast_address)
        version = destination.version
        return not any(version == one and low <= first and last <= high for one, low, high in self.inside)

    def zone_of(self, address: Address) -> Zone | None:
        """Return the zone an address belongs to; one that is outside is in the internet zone."""
        return self.registry.zone_of(address) or ("internet" if self.outside(address) else None)


def scope_of(registry: Registry, unit: str, asset: Asset | None) -> Scope:
    """Return what the register allows a node of a unit that belongs to an asset."""
    return Scope(
        registry=registry,
        zone=asset.zone if asset else None,
        joins=asset.joins if asset else (),
        policy=registry.policy(asset.zone if asset else None),
        exits=registry.exits_for(unit, asset) if asset else (),
        inside=_inside(registry),
    )


def _inside(registry: Registry) -> tuple[tuple[int, int, int], ...]:
    ranges = [one for zone, policy in registry.zones.items() if zone != "internet" for one in policy.networks]
    return tuple(
        (one.version, int(one.network_address), int(one.broadcast_address))
        for one in (*_NEVER_OUTSIDE, *registry.internal, *ranges)
    )
