"""The registry's file to its nouns, telling every mistake of the file at once with its place."""

import re
from collections.abc import Iterable
from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Any, NamedTuple, TypeVar, cast
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from wire.vocabulary import LinkKind, Zone

from .. import yaml_marks
from ..yaml_marks import Mapping, Mistake, Mistakes, Node
from .nouns import (
    Asset,
    AssetRole,
    ExitRule,
    Network,
    Person,
    Registry,
    SanctionedExit,
    Unit,
    UnitKind,
    UnitLevel,
    ZonePolicy,
)

_KEY = re.compile(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")
_TARGET = re.compile(r"[a-z0-9-]+/[a-z0-9_]+(/[a-z0-9_]+)?")
_SERVICE = re.compile(r"(tcp|udp)/([1-9][0-9]{0,4})")
_PROXY = re.compile(r"[^\s:/]+:[1-9][0-9]{0,4}|\[[0-9a-fA-F:]+\]:[1-9][0-9]{0,4}")
_ZONES: tuple[Zone, ...] = ("intranet", "extranet", "private", "internet")
_INTERNAL = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
_CLASSIFIED = frozenset({"name", "unit", "classified"})
_Name = Annotated[str, Meta(min_length=1, max_length=128)]


class _Range(NamedTuple):
    """An address range as the file writes it; host bits must be zero: a slip there widens it."""

    network: Network

    @classmethod
    def parse_yaml(cls, text: str) -> "_Range":
        """Read it.

        Raises:
            ValueError: it is no range.
        """
        try:
            return cls(ip_network(text))
        except ValueError as error:
            raise ValueError(f"an address range such as 10.20.0.0/16 ({error})") from None


class _Unit(Struct, frozen=True, kw_only=True):
    name: _Name
    kind: UnitKind
    level: UnitLevel
    region: Annotated[str, Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
    sector: _Name
    name_en: str = ""
    superior: str | None = None
    timezone: str = "Asia/Shanghai"
    duty: tuple[str, ...] = ()
    leader: str | None = None
    targets: dict[str, timedelta] = {}


class _Person(Struct, frozen=True, kw_only=True):
    name: _Name
    unit: str
    role: _Name
    channels: dict[str, _Name] = {}


class _Asset(Struct, frozen=True, kw_only=True):
    name: _Name
    unit: str
    operator: str | None = None
    role: AssetRole | None = None
    mlps_grade: Annotated[int, Meta(ge=1, le=5)] | None = None
    zone: Zone | None = None
    joins: tuple[Zone, ...] = ()
    cii: bool = False
    classified: bool = False
    filing_number: str | None = None


class _Exit(Struct, frozen=True, kw_only=True):
    name: _Name
    unit: str
    zones: Annotated[tuple[Zone, ...], Meta(min_length=1)]
    next_hops: tuple[_Range, ...] = ()
    egress: tuple[_Range, ...] = ()
    proxies: tuple[str, ...] = ()
    link_kinds: tuple[LinkKind, ...] = ()
    assets: tuple[str, ...] = ()


class _Zone(Struct, frozen=True, kw_only=True):
    exits: ExitRule
    networks: tuple[_Range, ...] = ()
    services: tuple[str, ...] | None = None


_Entry = TypeVar("_Entry", _Unit, _Person, _Asset, _Exit, _Zone)
_SECTIONS = ("internal", "zones", "units", "people", "assets", "exits")


def read_registry(text: str, file: str) -> Registry:
    """Read the registry's file.

    Args:
        text: Its YAML.
        file: Its name, as it shall stand in mistakes.

    Raises:
        Mistakes: Every mistake of it: form, unknown references, a circle in the tree, classified assets of
            which more than the name is given.
    """
    return _File(yaml_marks.read(text, file)).registry()


class _File:
    """One reading: sections are decoded entry by entry, so that one bad entry hides no other's mistakes."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self.mistakes: list[Mistake] = []
        self._check_sections()
        self.zones = self._section("zones", _Zone)
        self.units = self._section("units", _Unit)
        self.people = self._section("people", _Person)
        self.assets = self._section("assets", _Asset)
        self.exits = self._section("exits", _Exit)

    def registry(self) -> Registry:
        """Check across entries and build the nouns."""
        internal = self._internal()
        self._check_zones()
        self._check_units()
        self._check_people()
        self._check_assets()
        self._check_exits()
        if self.mistakes:
            raise Mistakes(self.mistakes)
        return Registry(
            units={key: Unit(id=key, **_fields(entry)) for key, entry in self.units.items()},
            people={key: Person(id=key, **_fields(entry)) for key, entry in self.people.items()},
            assets={key: Asset(id=key, **_fields(entry)) for key, entry in self.assets.items()},
            exits={key: SanctionedExit(id=key, **_fields(entry)) for key, entry in self.exits.items()},
            zones={cast("Zone", key): ZonePolicy(**_fields(entry)) for key, entry in self.zones.items()},
            internal=internal,
        )

    def refuse(self, path: str, found: str, expected: str) -> None:
        """Note a mistake at the place of `path`."""
        self.mistakes.append(self.root.mistake(path, found, expected))

    def keys(self, section: str) -> frozenset[str]:
        """Return the keys of a section, also of entries with mistakes: a reference to one is no second."""
        node = self.root.get(section) if isinstance(self.root, Mapping) else None
        return frozenset(key.text for key, _ in node.entries) if isinstance(node, Mapping) else frozenset()

    def known(self, path: str, key: str, section: str) -> None:
        """Note a reference to an entry that the section does not have."""
        if key not in self.keys(section):
            self.refuse(path, repr(key), f"a key of `{section}`")

    def _check_sections(self) -> None:
        if not isinstance(self.root, Mapping):
            raise Mistakes([self.root.mistake("", "no mapping", f"the sections {', '.join(_SECTIONS)}")])
        for key, _ in self.root.entries:
            if key.text not in _SECTIONS:
                self.mistakes.append(
                    key.mistake("", f"the section {key.text!r}", f"one of {', '.join(_SECTIONS)}")
                )
        for name in ("zones", "units"):
            if not self.keys(name):
                self.refuse(name, "nothing", "at least one entry")

    def _section(self, name: str, kind: type[_Entry]) -> dict[str, _Entry]:
        section = self.root.get(name) if isinstance(self.root, Mapping) else None
        if section is None:
            return {}
        if not isinstance(section, Mapping):
            self.refuse(name, "no mapping", "entries by their key")
            return {}
        found = {}
        for key, node in section.entries:
            path = f"{name}.{key.text}"
            if not _KEY.fullmatch(key.text):
                self.mistakes.append(
                    Mistake(
                        *key.mark,
                        path,
                        f"the key {key.text!r}",
                        "small letters, digits, - and _, at most 64 of them",
                    )
                )
            try:
                found[key.text] = yaml_marks.decode(node, kind, path)
            except Mistakes as error:
                self.mistakes.extend(error.mistakes)
        return found

    def _internal(self) -> tuple[Network, ...]:
        node = self.root.get("internal") if isinstance(self.root, Mapping) else None
        if node is None:
            return tuple(ip_network(text) for text in _INTERNAL)
        try:
            ranges = yaml_marks.decode(node, tuple[_Range, ...], "internal")
        except Mistakes as error:
            self.mistakes.extend(error.mistakes)
            return ()
        return tuple(one.network for one in ranges)

    def _check_zones(self) -> None:
        holders: dict[Network, str] = {}
        for key in self.keys("zones") - set(_ZONES):
            self.refuse(f"zones.{key}", repr(key), f"one of {', '.join(_ZONES)}")
        for key, zone in self.zones.items():
            for index, service in enumerate(zone.services or ()):
                if not _SERVICE.fullmatch(service) or int(service[4:]) > 65535:
                    self.refuse(f"zones.{key}.services[{index}]", repr(service), "such as tcp/443")
            for index, one in enumerate(zone.networks):
                other = holders.setdefault(one.network, key)
                if other != key:
                    self.refuse(
                        f"zones.{key}.networks[{index}]", f"{one.network}, a range of {other} too", "one zone"
                    )

    def _check_units(self) -> None:
        for key, unit in self.units.items():
            path = f"units.{key}"
            if unit.superior is not None:
                self.known(f"{path}.superior", unit.superior, "units")
            for index, person in enumerate(unit.duty):
                self.known(f"{path}.duty[{index}]", person, "people")
            if unit.leader is not None:
                self.known(f"{path}.leader", unit.leader, "people")
            for target in unit.targets:
                if not _TARGET.fullmatch(target):
                    self.refuse(
                        f"{path}.targets.{target}", repr(target), "an obligation's id, `regime/stage`"
                    )
            if not _is_timezone(unit.timezone):
                self.refuse(
                    f"{path}.timezone", repr(unit.timezone), "a time zone's name such as Asia/Shanghai"
                )
        for circle in _circles({key: unit.superior for key, unit in self.units.items()}):
            self.refuse(
                f"units.{circle[0]}.superior", f"the circle {' -> '.join(circle)}", "a tree of superiors"
            )

    def _check_people(self) -> None:
        for key, person in self.people.items():
            self.known(f"people.{key}.unit", person.unit, "units")

    def _check_assets(self) -> None:
        for key, asset in self.assets.items():
            path = f"assets.{key}"
            self.known(f"{path}.unit", asset.unit, "units")
            if asset.operator is not None:
                self.known(f"{path}.operator", asset.operator, "units")
            if asset.classified:
                self._check_classified(path)
                continue
            for field in ("role", "mlps_grade", "zone"):
                if getattr(asset, field) is None:
                    self.refuse(f"{path}.{field}", "nothing", "it given for an asset that is not classified")
            if asset.zone is not None:
                self.known(f"{path}.zone", asset.zone, "zones")
            for index, zone in enumerate(asset.joins):
                self.known(f"{path}.joins[{index}]", zone, "zones")

    def _check_classified(self, path: str) -> None:
        entry = self.root
        for name in path.split("."):
            entry = cast("Mapping", cast("Mapping", entry).get(name))
        for given, _ in cast("Mapping", entry).entries:
            if given.text not in _CLASSIFIED:
                self.mistakes.append(
                    Mistake(
                        *given.mark,
                        f"{path}.{given.text}",
                        "more than the name of a classified system",
                        "only name, unit and classified",
                    )
                )

    def _check_exits(self) -> None:
        for key, way in self.exits.items():
            path = f"exits.{key}"
            self.known(f"{path}.unit", way.unit, "units")
            for index, asset in enumerate(way.assets):
                self.known(f"{path}.assets[{index}]", asset, "assets")
            for index, proxy in enumerate(way.proxies):
                if not _PROXY.fullmatch(proxy):
                    self.refuse(f"{path}.proxies[{index}]", repr(proxy), "host:port")
            if not way.next_hops and not way.proxies:
                self.refuse(path, "neither next_hops nor proxies", "at least one way to reach the exit")
            for index, hop in enumerate(way.next_hops):
                if hop.network.prefixlen == 0:
                    self.refuse(
                        f"{path}.next_hops[{index}]", f"{hop.network}", "the gateways, not every address"
                    )


def _fields(entry: Struct) -> dict[str, Any]:
    """Return an entry's fields as its noun takes them."""

    def plain(value: Any) -> Any:  # noqa: ANN401 - a field of any kind
        if isinstance(value, tuple):
            return tuple(one.network if isinstance(one, _Range) else one for one in value)
        return value

    return {field.name: plain(getattr(entry, field.name)) for field in msgspec.structs.fields(entry)}


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _circles(superiors: dict[str, str | None]) -> Iterable[tuple[str, ...]]:
    """Yield every circle once, from its first unit in the file round to it again."""
    done: set[str] = set()
    for start in superiors:
        walk: list[str] = []
        key: str | None = start
        while key is not None and key in superiors and key not in done and key not in walk:
            walk.append(key)
            key = superiors[key]
        if key is not None and key in walk:
            yield (*walk[walk.index(key) :], key)
        done.update(walk)
