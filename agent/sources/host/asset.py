"""What this node is: host, release, hardware, addresses, listening services, and what it was declared as."""

import asyncio
import socket
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct, to_builtins

from wire.messages import Name

from ...bounded import Seconds
from ...budget import Budget, RefusedError
from ...netlink import inet_diag, rtnetlink
from ...netlink.message import NetlinkError
from ..port import Clock, Emit, Observation, Reading, Unreadable
from ..programs.procfs import hidden_because, socket_owners
from ..rounds.runs import Paid, Runs
from . import host

_EPHEMERAL = 32768


class DeclaredAsset(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A system this node belongs to, as its operator declares it; the collector's registry decides.

    Fields:
        id: Its key in the registry.
        mlps_grade: Protection grade 1 to 5, as proposed.
        filing_number: 备案编号 of the grading, where there is one.
        classified: 涉密; then no active check is ever made from this node, whatever its settings say.
    """

    id: Name
    name: str = ""
    mlps_grade: Annotated[int, Meta(ge=1, le=5)] | None = None
    filing_number: str = ""
    classified: bool = False


class AssetSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the asset source.

    Fields:
        enabled: Whether it runs.
        unit: The unit that operates the node, as declared.
        assets: The systems it belongs to.
        poll: Seconds between looks.
        period: Seconds after which the full picture is told again.
        budget: What it may cost.
    """

    enabled: bool = True
    unit: str = ""
    assets: tuple[DeclaredAsset, ...] = ()
    poll: Seconds = 60.0
    period: Seconds = 3600.0
    budget: Budget = Budget()


class Asset(Paid):
    """The asset source."""

    name = "asset"

    def __init__(self, settings: AssetSettings | None = None, *, root: Path = Path("/")) -> None:
        self._settings = settings or AssetSettings()
        self._root = root
        self._runs = Runs(self.name, self._settings.budget)
        self._owners: dict[int, dict[str, Any]] = {}

    async def once(self, now: datetime) -> Reading:
        """Look once."""
        try:
            body, unreadable = await self._runs.look(self._picture)
        except RefusedError as error:
            return Reading(unreadable=(Unreadable(self.name, "host", str(error)),))
        return Reading((Observation("asset", self.name, now, body),), tuple(unreadable))

    async def watch(self, emit: Emit, clock: Clock) -> None:
        """Look every `poll` seconds and tell what differs."""
        told: dict[str, Any] = {}
        told_at = 0.0
        loop = asyncio.get_running_loop()
        while True:
            try:
                body, _ = await self._runs.look(self._picture)
            except RefusedError:
                body = told
            if body != told or (told and loop.time() - told_at >= self._settings.period):
                observation = Observation("asset", self.name, clock(), body)
                self._runs.pay(observation)
                await emit(observation)
                told, told_at = body, loop.time()
            await self._runs.tell(emit, "asset", clock())
            await asyncio.sleep(max(self._settings.poll, self._runs.resting))

    def _picture(self) -> tuple[dict[str, Any], list[Unreadable]]:
        unreadable: list[Unreadable] = []
        body = {
            "host_name": host.host_name(self._root),
            "machine_id": host.machine_id(self._root),
            "os_release": self._os_release(unreadable),
            "kernel": host.kernel(),
            "hardware": host.hardware(self._root),
            "addresses": self._addresses(unreadable),
            "listening_services": self._services(unreadable),
            "unit": self._settings.unit or None,
            "assets": [to_builtins(one) for one in self._settings.assets],
        }
        return body, unreadable

    def _os_release(self, unreadable: list[Unreadable]) -> dict[str, Any] | None:
        try:
            return host.os_release(self._root)
        except OSError as error:
            unreadable.append(Unreadable(self.name, "os release", str(error)))
            return None

    def _addresses(self, unreadable: list[Unreadable]) -> list[dict[str, Any]]:
        try:
            tables = rtnetlink.look()
        except (OSError, NetlinkError) as error:
            unreadable.append(Unreadable(self.name, "addresses", str(error)))
            return []
        names = {link.index: link.name for link in tables.links}
        return [
            {
                "interface": names.get(row.index, str(row.index)),
                "address": row.address,
                "prefix": row.prefix,
                "family": row.family,
            }
            for row in tables.addresses
        ]

    def _services(self, unreadable: list[Unreadable]) -> list[dict[str, Any]]:
        try:
            found = _listening()
        except (OSError, NetlinkError) as error:
            unreadable.append(Unreadable(self.name, "listening services", str(error)))
            return []
        inodes = {one.inode for one in found}
        # Processes are looked through only when a listening socket is new.
        if new := inodes - self._owners.keys():
            self._owners.update(socket_owners(new, self._root / "proc"))
        self._owners = {inode: who for inode, who in self._owners.items() if inode in inodes}
        hidden = sum(one.inode not in self._owners for one in found)
        if hidden:
            why = hidden_because()
            unreadable.append(Unreadable(self.name, f"process of {hidden} listening services", why))
        rows = {_row(one, self._owners.get(one.inode)): None for one in found}
        return [dict(row) for row in sorted(rows, key=str)]


def _listening() -> list[inet_diag.Socket]:
    """Return listening TCP sockets and bound UDP ones, without the ports a client gets for a moment."""
    tcp = inet_diag.sockets(inet_diag.states(inet_diag.LISTEN), protocols=(socket.IPPROTO_TCP,))
    udp = inet_diag.sockets(inet_diag.states(inet_diag.CLOSE), protocols=(socket.IPPROTO_UDP,))
    return [*tcp, *(one for one in udp if 0 < one.local_port < _EPHEMERAL)]


def _row(one: inet_diag.Socket, who: dict[str, Any] | None) -> tuple[tuple[str, Any], ...]:
    """Return a service without what changes at each restart (its pid): workers sharing a port are one."""
    return (
        ("protocol", one.protocol),
        ("address", one.local_address),
        ("port", one.local_port),
        ("process", who["name"] if who else None),
        ("program", who["program"] if who else None),
        ("uid", one.uid),
    )
