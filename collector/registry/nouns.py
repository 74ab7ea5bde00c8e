"""The register an authority keeps: units as a tree, people, assets, zones with policy, sanctioned exits.

Keys are ids. What a node says of itself is only ever compared with this; only this decides who is who,
how grave an asset is, what is classified and which way out is sanctioned.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, Literal

from msgspec import Struct

from wire.vocabulary import LinkKind, Zone

UnitKind = Literal[
    "central_organ",
    "local_government",
    "cii_operator",
    "public_institution",
    "enterprise",
    "cii_protection_department",
    "own_cac_office",
    "provincial_cac",
]
UnitLevel = Literal["national", "provincial", "prefecture", "district", "township"]
AssetRole = Literal["portal", "news_site", "platform", "business_system", "network", "data", "product"]
ExitRule = Literal["none", "sanctioned", "free"]
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Role = str
"""`duty`, `leader`, `superior`, or a role as people bear it in the register."""


class Unit(Struct, frozen=True, kw_only=True):
    """An organisation in the tree of authorities.

    Fields:
        superior: Id of the unit it reports to; none at the top.
        kind, level, region, sector, timezone: As a case gives them (`duty explain`).
        duty: Ids of the people on duty, in the order they are woken.
        leader: Id of the person who leads it.
        targets: The unit's own times by obligation (`regime/stage`) where the law names no number.
    """

    id: str
    name: str
    name_en: str
    superior: str | None
    kind: UnitKind
    level: UnitLevel
    region: str
    sector: str
    timezone: str
    duty: tuple[str, ...]
    leader: str | None
    targets: dict[str, timedelta]


class Person(Struct, frozen=True, kw_only=True):
    """Someone who can be woken; `channels` maps a channel of the settings to an address there."""

    id: str
    name: str
    unit: str
    role: Role
    channels: dict[str, str]


class Asset(Struct, frozen=True, kw_only=True):
    """A system with a protection grade.

    Fields:
        operator: Id of the unit that runs it where that is not its owner.
        mlps_grade, zone, role: None only where it is classified: that one is a name and nothing more.
        joins: Other zones it is meant to have a leg in, as a gateway does.
    """

    id: str
    name: str
    unit: str
    operator: str | None = None
    role: AssetRole | None = None
    mlps_grade: int | None = None
    zone: Zone | None = None
    joins: tuple[Zone, ...] = ()
    cii: bool = False
    classified: bool = False
    filing_number: str | None = None


class SanctionedExit(Struct, frozen=True, kw_only=True):
    """A way to the internet that the authority keeps; it serves its unit and the units below.

    Fields:
        next_hops: Gateways that lead to it.
        egress: Addresses under which the internet sees it.
        proxies: `host:port` of proxies that stand before it.
        zones: Zones it serves.
        link_kinds: Kinds of link it may be reached over; empty: any.
        assets: Only these assets may use it; empty: all of its units.
    """

    id: str
    name: str
    unit: str
    zones: tuple[Zone, ...]
    next_hops: tuple[Network, ...] = ()
    egress: tuple[Network, ...] = ()
    proxies: tuple[str, ...] = ()
    link_kinds: tuple[LinkKind, ...] = ()
    assets: tuple[str, ...] = ()


class ZonePolicy(Struct, frozen=True, kw_only=True):
    """What a node of a zone may have.

    Fields:
        exits: `none` at all, only `sanctioned` ones, or `free`.
        networks: Address ranges of the zone; a link with such an address is in it.
        services: What may listen on an address of public range, as `tcp/443`; None: nothing, but anything
            where exits are free.
    """

    exits: ExitRule
    networks: tuple[Network, ...] = ()
    services: tuple[str, ...] | None = None


STRICT = ZonePolicy(exits="none")
"""The policy of a node whose zone is not known to the register: unreachable for a valid file."""


class Registry(Struct, frozen=True, kw_only=True):
    """All of it. Lookups answer None for an id the register does not have (any more)."""

    units: dict[str, Unit]
    people: dict[str, Person]
    assets: dict[str, Asset]
    exits: dict[str, SanctionedExit]
    zones: dict[Zone, ZonePolicy]
    internal: tuple[Network, ...]

    def unit(self, key: str | None) -> Unit | None:
        """Return the unit with this id."""
        return self.units.get(key or "")

    def person(self, key: str | None) -> Person | None:
        """Return the person with this id."""
        return self.people.get(key or "")

    def asset(self, key: str | None) -> Asset | None:
        """Return the asset with this id."""
        return self.assets.get(key or "")

    def superior_of(self, unit: str) -> Unit | None:
        """Return the unit that `unit` reports to."""
        found = self.unit(unit)
        return self.unit(found.superior) if found else None

    def line(self, unit: str) -> Iterator[Unit]:
        """Yield the unit, its superior, and so on to the top."""
        found = self.unit(unit)
        while found is not None:
            yield found
            found = self.unit(found.superior)

    def below(self, unit: str) -> tuple[str, ...]:
        """Return the ids of the unit and of every unit under it, in the file's order."""
        return tuple(key for key in self.units if any(above.id == unit for above in self.line(key)))

    def asset_of(self, keys: Iterable[str]) -> Asset | None:
        """Return the asset that stands for a node belonging to several: the gravest grade, then the first."""
        found = [asset for key in keys if (asset := self.asset(key))]
        return max(found, key=lambda asset: asset.mlps_grade or 0, default=None)

    def persons(self, unit: str, role: Role) -> tuple[Person, ...]:
        """Return whom a role means for a unit: duty, leader, superior (its duty), or who bears the role."""
        found = self.unit(unit)
        if found is None:
            return ()
        if role == "superior":
            return self.persons(found.superior, "duty") if found.superior else ()
        keys = {"duty": found.duty, "leader": (found.leader,) if found.leader else ()}.get(role)
        if keys is None:
            keys = tuple(key for key, one in self.people.items() if one.unit == unit and one.role == role)
        return tuple(self.people[key] for key in keys)

    def policy(self, zone: Zone | None) -> ZonePolicy:
        """Return a zone's policy; the strictest for a zone nobody named."""
        return self.zones.get(zone, STRICT) if zone else STRICT

    def exits_for(self, unit: str, asset: Asset | None) -> tuple[SanctionedExit, ...]:
        """Return the sanctioned exits that serve an asset of a unit in its zone."""
        line = {above.id for above in self.line(unit)}
        zone = asset.zone if asset else None
        return tuple(
            way
            for way in self.exits.values()
            if way.unit in line
            and (zone is None or zone in way.zones)
            and (not way.assets or (asset is not None and asset.id in way.assets))
        )

    def zone_of(self, address: Address) -> Zone | None:
        """Return the zone whose ranges hold the address, by the longest prefix."""
        fitting = [
            (network.prefixlen, zone)
            for zone, policy in self.zones.items()
            for network in policy.networks
            if address in network
        ]
        return max(fitting)[1] if fitting else None

    def is_internal(self, address: Address) -> bool:
        """Whether an address is inside: listed as internal, or in a range of a zone but the internet."""
        return any(address in network for network in self.internal) or self.zone_of(address) not in {
            None,
            "internet",
        }


def case_unit(unit: Unit) -> dict[str, Any]:
    """Return the `unit` of a case (`duty explain`)."""
    return {
        "kind": unit.kind,
        "level": unit.level,
        "region": unit.region,
        "sector": unit.sector,
        "timezone": unit.timezone,
    }


def case_asset(asset: Asset | None) -> dict[str, Any]:
    """Return the `asset` of a case; what is not known is left out."""
    if asset is None:
        return {}
    found: Mapping[str, Any] = {
        "role": asset.role,
        "mlps_grade": asset.mlps_grade,
        "cii": asset.cii,
        "zone": asset.zone,
        "classified": asset.classified,
    }
    return {name: value for name, value in found.items() if value is not None}
