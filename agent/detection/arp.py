"""Finds who takes another's address: two MACs that claim it in turns, or one that may not.

    owner       A . . . A . . . . A     A B A B: the owner is alive and somebody else claims its address too
    intruder      B B B   B B B B

A failover looks like A A A B B B: the old owner falls silent, and the new one is accepted; going back once
makes two changes. What no failover sends are replies to somebody who did not ask: a few of them by the second
one are enough. Addresses that the operator knows (the gateway's) need no pattern: any other MAC that
claims one is an incident at once. Shared addresses of VRRP and CARP (00:00:5e:00:01:xx, 02:xx) are left
alone. Neighbour messages of IPv6 (RFC 4861) say the same things in other words, and are judged alike.

A host whose bonded cards share its address (Linux balance-alb) does just what a thief does: it asks from its
first card, and two seconds later tells each client, unasked and twice, to use another one.

    cards       A ask   B B unasked   A ask   B B unasked       from the outside: turns

Nothing in the packets tells the two apart: a thief may choose a MAC of the same maker, and one who is patient
would be learned as a card. So this host's own cards, which it knows, are one owner, and those of others are
for the operator to name: `known` takes all cards of an address, and then a stranger's claim is told at once.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Annotated

from msgspec import Meta, Struct

from ..bounded import Count, Seconds
from ..clock import moment
from .repeats import Finding
from .tally import Tally, text

CLASS = "NATRAFHIJ"
_MAX_ADDRESSES = 20_000
_MAX_CHANGES = 20
_ANSWERED_WITHIN = timedelta(seconds=10)
_SHARED = (b"\x00\x00\x5e\x00\x01", b"\x00\x00\x5e\x00\x02")
_NOBODY = (bytes(4), b"\xff\xff\xff\xff", bytes(16))
_MAC = "([0-9a-f]{2}:){5}[0-9a-f]{2}"
Macs = Annotated[str, Meta(pattern=f"^{_MAC}( {_MAC}){{0,15}}$")]


class ArpSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a claim is a theft.

    Fields:
        window: Seconds within which two MACs claim one address.
        changes: So many times the address has to go from one to another.
        unasked: So many replies that nobody asked for, by one who is not its first owner, are enough.
        known: Addresses (the gateway's) and the only MAC that may claim each, or with blanks between them
            the cards of a bonded host.
    """

    window: Seconds = 60.0
    changes: Count = 3
    unasked: Count = 3
    known: dict[str, Macs] = {}

    def __post_init__(self) -> None:
        """Refuse what is no address: nobody would ever be held to it."""
        for address in self.known:
            try:
                ip_address(address)
            except ValueError:
                raise ValueError(f"known: {address!r} is no address") from None

    def owners(self) -> dict[str, frozenset[str]]:
        """Return the MACs that may claim each known address, as packets tell addresses."""
        return {str(ip_address(address)): frozenset(macs.split()) for address, macs in self.known.items()}


class _Holder(Struct):
    """Who claimed an address last, who before, and when it went over."""

    mac: bytes
    before: bytes = b""
    changes: list[datetime] = []
    unasked: dict[bytes, tuple[datetime, int]] = {}


class Claims:
    """Who claims which address.

    Attributes:
        cards: The MACs of this host, which are one owner.
    """

    def __init__(self, settings: ArpSettings) -> None:
        self._settings = settings
        self._window = timedelta(seconds=settings.window)
        self._known = settings.owners()
        self.cards: frozenset[bytes] = frozenset()
        self._holders: OrderedDict[bytes, _Holder] = OrderedDict()
        self._sought: OrderedDict[tuple[bytes, bytes], datetime] = OrderedDict()

    def step(self, tally: Tally, at: datetime) -> list[Finding]:
        """Take the claims of a moment."""
        self._seek(tally.sought, at)
        found = [
            finding
            for (address, mac), times in tally.claims.items()
            if address not in _NOBODY and not mac.startswith(_SHARED)
            for finding in self._claim(address, mac, times, at)
        ]
        for (address, mac, target), times in tally.replies.items():
            if (target, address) not in self._sought and not mac.startswith(_SHARED):
                found += self._unasked(address, mac, times, at)
        return found

    def _seek(self, sought: set[tuple[bytes, bytes]], at: datetime) -> None:
        for pair in sought:
            self._sought[pair] = at
            self._sought.move_to_end(pair)
        while self._sought and (
            len(self._sought) > _MAX_ADDRESSES or at - next(iter(self._sought.values())) > _ANSWERED_WITHIN
        ):
            self._sought.popitem(last=False)

    def _unasked(self, address: bytes, mac: bytes, times: int, at: datetime) -> list[Finding]:
        """Count a reply to somebody who did not ask, by one who took the address from another."""
        holder = self._holders.get(address)
        if holder is None or holder.mac != mac or not holder.before:
            return []
        since, count = holder.unasked.get(mac, (at, 0))
        if at - since > self._window:
            since, count = at, 0
        # One MAC at a time: who else claims the address is told by its turns.
        holder.unasked = {mac: (since, count + times)}
        if count + times < self._settings.unasked:
            return []
        return [_finding(address, (mac, _mac(holder.before)), times, at, how="unasked")]

    def _claim(self, address: bytes, mac: bytes, times: int, at: datetime) -> list[Finding]:
        wanted = self._known.get(text(address))
        if wanted:
            stolen = _mac(mac) not in wanted
            owners = " ".join(sorted(wanted))
            return [_finding(address, (mac, owners), times, at, how="known")] if stolen else []
        holder = self._holders.get(address)
        if holder is None:
            self._holders[address] = _Holder(mac)
            while len(self._holders) > _MAX_ADDRESSES:
                self._holders.popitem(last=False)
            return []
        self._holders.move_to_end(address)
        return self._changed(address, holder, mac, times, at) if mac != holder.mac else []

    def _changed(
        self, address: bytes, holder: _Holder, mac: bytes, times: int, at: datetime
    ) -> list[Finding]:
        if mac in self.cards and holder.mac in self.cards:
            holder.mac = mac
            return []
        holder.before, holder.mac = holder.mac, mac
        recent = [one for one in holder.changes if at - one <= self._window]
        holder.changes = [*recent, at][-_MAX_CHANGES:]
        if len(holder.changes) < self._settings.changes:
            return []
        return [_finding(address, (mac, _mac(holder.before)), times, at, how="turns")]


def _mac(address: bytes) -> str:
    return address.hex(":")


def _finding(address: bytes, macs: tuple[bytes, str], times: int, at: datetime, *, how: str) -> Finding:
    name = text(address)
    mac, other = macs
    return Finding(
        key=f"arp:{name}",
        group="arp",
        incident_class=CLASS,
        severity="high" if how == "known" else "medium",
        at=at,
        target_address=name,
        target=f"{name} {other}",
        times=times,
        item={
            "at": moment(at),
            "address": name,
            "mac": _mac(mac),
            "other_mac": other,
            "how": how,
            "claims": times,
        },
    )
