"""Keeps the exit register that a collector below tells with its heartbeat: an authority sees it too."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from ..registry import Registry
from ..store import journal
from ..store.exits_below import Day, is_collector, keep_told
from .port import Item

_Count = Annotated[int, Meta(ge=0, le=10**9)]


class _Day(Day, frozen=True, kw_only=True):
    unit: Annotated[str, Meta(min_length=1, max_length=128)]
    day: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    declared: _Count
    observed: _Count
    unsanctioned: _Count
    nodes: _Count
    outside: _Count
    behind: _Count


class _Told(Struct, frozen=True):
    exit_days: Annotated[list[_Day], Meta(max_length=10_000)]


class Register:
    """Fifth stage."""

    name = "register"

    def __init__(self, registry: Callable[[], Registry]) -> None:
        self._registry = registry

    async def apply(self, conn: AsyncConnection, item: Item) -> Item | None:
        """Keep what a heartbeat tells of exits; what is none of its sender's business is a finding."""
        if item.kind != "heartbeat" or not isinstance(item.body, dict) or "exit_days" not in item.body:
            return item
        why = "it is no collector"
        if await is_collector(conn, item.node.id):
            try:
                told = msgspec.convert(item.body, _Told).exit_days
            except msgspec.ValidationError as error:
                why = str(error)
            else:
                await keep_told(conn, item.node.id, told, self._stands_for(item.node.unit), item.now)
                return item
        entry = journal.Entry(
            actor=f"node:{item.node.id}",
            action="audit.finding",
            subject=f"node:{item.node.id}",
            detail={"finding": "exit_days_refused", "why": why[:300], "report": item.id},
        )
        await journal.write(conn, entry, item.now)
        return item

    def _stands_for(self, teller: str) -> Callable[[str], str]:
        """Return under which unit of this register a unit is counted: its own only beneath the teller's."""
        beneath = frozenset(self._registry().below(teller))
        return lambda unit: unit if unit in beneath else teller
