"""How this node reaches the internet: links and their kind, routes, rules, resolvers, proxies, forwarding.

    kernel: a link, address, route, rule or forwarding switch changes
       | netlink event            quiet for 20 ms, at most 100 ms after the first
       v
    dump all tables -> body -> differs from the last one told? -> emit
       ^
       | every `poll` seconds (what no event tells: resolvers, proxies), every `period` the full picture

An event is only a reason to look. When the kernel drops events because nobody read them in time, the dump
that follows shows the truth all the same; the states in between are gone, and a `gap` says so.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from ..budget import Budget, RefusedError
from ..netlink import inet_diag, rtnetlink
from ..netlink.linkkind import classify, read_device
from ..netlink.message import NetlinkError
from . import surroundings
from .port import Clock, Emit, Observation, Reading, Unreadable
from .ranges import Ranges
from .runs import Runs

_MAX_ROUTES = 4096
_MAX_REMOTES = 5
_QUIET, _AT_MOST = 0.02, 0.1
_HALVES = {"0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"}


class ExitsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the exits source.

    Fields:
        enabled: Whether it runs.
        poll: Seconds between looks that no event asked for.
        period: Seconds after which the full picture is told again.
        budget: What it may cost; its rest is short, because a way out may open meanwhile.
    """

    enabled: bool = True
    poll: float = 30.0
    period: float = 3600.0
    budget: Budget = Budget(cool_down=15.0)


class Exits:
    """The exits source."""

    name = "exits"

    def __init__(
        self,
        settings: ExitsSettings | None = None,
        *,
        ranges: Ranges | None = None,
        root: Path = Path("/"),
        environment: Mapping[str, str] | None = None,
        look: Callable[[], rtnetlink.Tables] = rtnetlink.look,
    ) -> None:
        self._settings = settings or ExitsSettings()
        self._ranges = ranges or Ranges()
        self._root = root
        self._environment = os.environ if environment is None else environment
        self._look = look
        self._runs = Runs(self.name, self._settings.budget)
        self._used: list[dict[str, Any]] | None = None
        self._used_at = 0.0

    @property
    def cpu_seconds(self) -> float:
        """CPU time its looks have taken so far."""
        return self._runs.cpu_seconds

    @property
    def blind(self) -> str:
        """Why it sees nothing at present, empty where it sees."""
        return self._runs.blind

    async def once(self, now: datetime) -> Reading:
        """Look once."""
        try:
            body, unreadable = await self._runs.look(self._picture)
        except (RefusedError, NetlinkError, OSError) as error:
            return Reading(unreadable=(Unreadable(self.name, "routing tables", str(error)),))
        return Reading((Observation("exits", self.name, now, body),), tuple(unreadable))

    async def watch(self, emit: Emit, clock: Clock) -> None:
        """Look at every event, every `poll` seconds, and tell what differs."""
        loop = asyncio.get_running_loop()
        with _events(loop) as (changes, changed):
            told: dict[str, Any] = {}
            told_at = 0.0
            overflows = 0
            while True:
                if changes and changes.overflows > overflows:
                    overflows = changes.overflows
                    self._runs.note_gap("kernel dropped routing events; the states in between are not known")
                body = await self._try_picture()
                due = loop.time() - told_at >= self._settings.period
                if body and (due or _essence(body) != _essence(told)):
                    observation = Observation("exits", self.name, clock(), body)
                    self._runs.pay(observation)
                    await emit(observation)
                    told, told_at = body, loop.time()
                await self._runs.tell(emit, "exits", clock())
                await asyncio.sleep(self._runs.resting)
                await self._wait(changed)

    async def _try_picture(self) -> dict[str, Any] | None:
        try:
            return (await self._runs.look(self._picture))[0]
        except RefusedError:
            return None
        except (NetlinkError, OSError) as error:
            self._runs.note_trouble(f"routing tables could not be read: {error}")
            return None

    async def _wait(self, changed: asyncio.Event) -> None:
        """Wait for an event and for the burst it begins to end, or for the poll."""
        try:
            async with asyncio.timeout(self._settings.poll):
                await changed.wait()
        except TimeoutError:
            return
        until = asyncio.get_running_loop().time() + _AT_MOST
        while changed.is_set() and asyncio.get_running_loop().time() < until:
            changed.clear()
            await asyncio.sleep(_QUIET)
        changed.clear()

    def _picture(self) -> tuple[dict[str, Any], list[Unreadable]]:
        tables = self._look()
        unreadable: list[Unreadable] = []

        def attempt(what: str, read: Callable[[], Any], otherwise: object) -> Any:  # noqa: ANN401 - JSON values
            try:
                return read()
            except (OSError, NetlinkError) as error:
                unreadable.append(Unreadable(self.name, what, str(error)))
                return otherwise

        body = {
            **routing(tables, self._root),
            "resolvers": attempt("resolvers", lambda: surroundings.resolvers(self._root), []),
            "proxies": attempt("proxies", lambda: surroundings.proxies(self._root, self._environment), []),
            "forwarding": surroundings.forwarding(self._root),
            "evidence": attempt("connections", lambda: self._in_use(tables), []),
        }
        return body, unreadable

    def _in_use(self, tables: rtnetlink.Tables) -> list[dict[str, Any]]:
        """Return the evidence of use, read once a poll: the table is too large to read at every event."""
        at = time.monotonic()
        if self._used is None or at - self._used_at >= self._settings.poll:
            self._used, self._used_at = in_use(tables, self._ranges), at
        return self._used


@contextmanager
def _events(
    loop: asyncio.AbstractEventLoop,
) -> Iterator[tuple[rtnetlink.Changes | None, asyncio.Event]]:
    """Give an event that is set whenever the kernel says that a table changed.

    Where netlink is forbidden (a sandbox) it is never set, and the poll remains.
    """
    changed = asyncio.Event()
    try:
        changes = rtnetlink.Changes()
    except OSError:
        yield None, changed
        return

    def heard() -> None:
        if changes.drain():
            changed.set()

    loop.add_reader(changes.fileno(), heard)
    try:
        yield changes, changed
    finally:
        loop.remove_reader(changes.fileno())
        changes.close()


def _essence(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what counts as a change: of the evidence only which links are in use."""
    used = sorted({(row["interface"], row["local_address"]) for row in body.get("evidence", ())})
    return {**body, "evidence": used}


def routing(tables: rtnetlink.Tables, root: Path = Path("/")) -> dict[str, Any]:
    """Return the body's `links`, `routes`, `rules` and, where the limit cut them, `routes_total`."""
    names = {link.index: link.name for link in tables.links}
    rows = [row for route in tables.routes for row in _route(route, names)]
    kept = (
        sorted(rows, key=lambda row: row["default"] is None)[:_MAX_ROUTES]
        if len(rows) > _MAX_ROUTES
        else rows
    )
    body: dict[str, Any] = {
        "links": [_link(link, tables, names, root) for link in tables.links],
        "routes": kept,
        "rules": [_rule(rule) for rule in tables.rules[:_MAX_ROUTES]],
    }
    if len(kept) < len(rows):
        body["routes_total"] = len(rows)
    return body


def _link(
    link: rtnetlink.Link, tables: rtnetlink.Tables, names: Mapping[int, str], root: Path
) -> dict[str, Any]:
    device = read_device(link.name, root)
    return {
        "name": link.name,
        "kind": classify(link.hardware, link.info_kind, device),
        "driver": device.driver or link.info_kind,
        "state": link.state,
        "up": link.up,
        "mac": link.mac,
        "mtu": link.mtu,
        "master": names.get(link.master),
        "addresses": [
            {"address": row.address, "prefix": row.prefix, "family": row.family, "peer": row.peer or None}
            for row in tables.addresses
            if row.index == link.index
        ],
    }


def _route(route: rtnetlink.Route, names: Mapping[int, str]) -> Iterator[dict[str, Any]]:
    """Yield one row a next hop."""
    for hop in route.hops:
        yield {
            "family": route.family,
            "destination": route.destination,
            "default": _default(route),
            "gateway": hop.gateway or None,
            "interface": names.get(hop.index),
            "table": route.table,
            "type": route.type,
            "metric": route.metric,
            "source": route.source or None,
            "protocol": route.protocol,
        }


def _default(route: rtnetlink.Route) -> str | None:
    """Say whether the route takes in everything, or half of it as VPN clients do to outrank the default."""
    if route.type != "unicast":
        return None
    if route.destination in {"0.0.0.0/0", "::/0"}:
        return "full"
    return "half" if route.destination in _HALVES else None


def _rule(rule: rtnetlink.Rule) -> dict[str, Any]:
    return {
        "family": rule.family,
        "priority": rule.priority,
        "from": rule.source or None,
        "to": rule.destination or None,
        "incoming": rule.incoming or None,
        "outgoing": rule.outgoing or None,
        "mark": rule.mark,
        "table": rule.table,
        "action": rule.action,
    }


def in_use(tables: rtnetlink.Tables, ranges: Ranges) -> list[dict[str, Any]]:
    """Return the evidence of use: which link's address talks to whom outside, from the socket table.

    Raises:
        NetlinkError: the kernel refused.
        OSError: no netlink here.
    """
    names = {link.index: link.name for link in tables.links}
    owners = {row.address: names.get(row.index, "") for row in tables.addresses}
    talks: dict[str, list[str]] = {}
    for found in ranges.talks(inet_diag.states(inet_diag.ESTABLISHED)):
        talks.setdefault(found.local_address, []).append(found.remote_address)
    return [
        {
            "interface": owners.get(local, ""),
            "local_address": local,
            "connections": len(remotes),
            "remote_addresses": sorted(set(remotes))[:_MAX_REMOTES],
        }
        for local, remotes in sorted(talks.items())
    ]
