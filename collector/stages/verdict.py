"""Judges a node's ways out anew whenever one of the facts that the verdict rests on is told."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from ..exposure import Asset, Exits, Facts, Sockets, judge, scope_of
from ..registry import Registry
from ..store.exit_days import ExitDays
from ..store.exits import keep_exits
from ..store.facts import Fact, facts_of
from .port import Item

JUDGED_BY = frozenset({"asset", "exits", "sockets"})
Form = TypeVar("Form", Exits, Sockets, Asset)


class Verdict:
    """Fourth stage. It judges; what a verdict leads to is for `correlate`."""

    name = "verdict"

    def __init__(self, registry: Callable[[], Registry]) -> None:
        self._registry = registry
        self._days = ExitDays()

    async def apply(self, conn: AsyncConnection, item: Item) -> Item | None:
        """Judge the node by its newest facts and bring its rows to the verdict."""
        if self._days.due(item.received_at):
            at = item.received_at
            await self._days.review(conn, self._declared(), partial(self._day, at), at)
        if item.kind not in JUDGED_BY:
            return item
        known = await facts_of(conn, item.node.id)
        facts = Facts(
            exits=_read(item.body, known, "exits", Exits),
            sockets=_read(item.body, known, "sockets", Sockets) or Sockets(),
            asset=_read(item.body, known, "asset", Asset) or Asset(),
        )
        if facts.exits is None:
            return item
        judged = judge(facts, scope_of(self._registry(), item.node.unit, item.asset))
        changes = await keep_exits(
            conn, item.node.id, item.node.unit, judged, item.received_at, told=item.kind
        )
        await self._count(conn, item, changed=any(change.fresh for change in changes))
        return replace(item, changes=changes)

    async def _count(self, conn: AsyncConnection, item: Item, *, changed: bool) -> None:
        """Bring the unit's day in the exit register up to date."""
        unit, at = item.node.unit, item.received_at
        declared = self._declared().get(unit, 0)
        await self._days.keep(conn, unit, declared, self._day(at, unit), at, changed=changed)

    def _declared(self) -> Mapping[str, int]:
        return Counter(one.unit for one in self._registry().exits.values())

    def _day(self, at: datetime, unit: str) -> str:
        known = self._registry().unit(unit)
        return at.astimezone(ZoneInfo(known.timezone) if known else UTC).date().isoformat()


def _read(body: object, known: dict[str, Fact], kind: str, form: type[Form]) -> Form | None:
    """Return the report's own body where it is of the form, else the fact kept of that kind."""
    if isinstance(body, form):
        return body
    kept: dict[str, Any] | None = known[kind].body if kind in known else None
    return msgspec.convert(kept, form) if kept is not None else None
