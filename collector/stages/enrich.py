"""Who says it: the node's asset by the register, its newest facts, and where the two disagree."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from .. import exposure
from ..registry import Registry
from ..store import facts, journal
from ..store.facts import Fact
from . import upkeep
from .bodies import plain
from .port import Item

FACTS = frozenset({"asset", "exits", "sockets", "gap"})
MOST_FACTS = 64
_SOURCE = re.compile("[a-z_]{1,32}")
CLASSIFIED = "the node belongs to a classified asset: nothing of it is kept"


class Enrich:
    """First stage. A node's grade is never changed by what the node says; a difference is a finding."""

    name = "enrich"

    def __init__(self, registry: Callable[[], Registry]) -> None:
        self._registry = registry

    async def apply(self, conn: AsyncConnection, item: Item) -> Item | None:
        """Fill in the asset, keep the fact, note findings; a classified asset's report ends here, unkept."""
        registry = self._registry()
        if _is_classified(item, registry):
            await _refuse(conn, item)
            return None
        if item.kind in FACTS:
            await self._keep(conn, item)
        if isinstance(item.body, exposure.Asset):
            await _note(conn, item, list(_findings(item, item.body, registry)))
        return replace(item, asset=registry.asset_of(item.node.assets))

    async def _keep(self, conn: AsyncConnection, item: Item) -> None:
        fact = Fact(
            kind=await _kind(conn, item),
            body=plain(item.raw),
            observed_at=item.observed_at,
            received_at=item.received_at,
        )
        if await facts.put_fact(conn, item.node.id, fact):
            await journal.write(conn, _entry(item, {"kind": fact.kind, "report": item.id}), item.now)


async def _kind(conn: AsyncConnection, item: Item) -> str:
    """Return under what a fact is kept: a gap beside those of other sources, as far as there are such."""
    if item.kind != "gap" or not _SOURCE.fullmatch(item.source):
        return item.kind
    kind = f"gap:{item.source}"
    known = await facts.kinds_of(conn, item.node.id)
    return kind if kind in known or len(known) < MOST_FACTS else item.kind


def _is_classified(item: Item, registry: Registry) -> bool:
    named = list(item.node.assets)
    if isinstance(item.body, exposure.Asset):
        named += [declared.id for declared in item.body.assets]
    return any(asset.classified for key in named if (asset := registry.asset(key)))


async def _refuse(conn: AsyncConnection, item: Item) -> None:
    """Say once a node that its reports are not taken; of the reports nothing is kept."""
    if not await facts.in_quarantine(conn, item.node.id, CLASSIFIED):
        await facts.add_quarantine(
            conn, source=item.node.id, where=item.place, why=CLASSIFIED, body=b"", now=item.now
        )


def _findings(item: Item, body: exposure.Asset, registry: Registry) -> Iterator[dict[str, Any]]:
    """Yield where what the node declares differs from the register."""
    for declared in body.assets:
        asset = registry.asset(declared.id)
        if asset is None:
            yield {"kind": "unknown_asset", "asset": declared.id, "declared": declared.name}
            continue
        if declared.id not in item.node.assets:
            yield {"kind": "asset_not_enrolled", "asset": declared.id, "registered": item.node.assets}
        if declared.mlps_grade is not None and declared.mlps_grade != asset.mlps_grade:
            yield {
                "kind": "grade_differs",
                "asset": declared.id,
                "declared": declared.mlps_grade,
                "registered": asset.mlps_grade,
            }
        if declared.filing_number and declared.filing_number != asset.filing_number:
            yield {
                "kind": "filing_number_differs",
                "asset": declared.id,
                "declared": declared.filing_number,
                "registered": asset.filing_number,
            }
    for key in item.node.assets:
        if registry.asset(key) is None and key not in {declared.id for declared in body.assets}:
            yield {"kind": "unknown_asset", "asset": key, "declared": None}


async def _note(conn: AsyncConnection, item: Item, differences: list[dict[str, Any]]) -> None:
    known = await facts.findings_of(conn, item.node.id)
    found = differences + [one for one in known if one["kind"] in upkeep.KINDS]
    if found == known:
        return
    await facts.set_findings(conn, item.node.id, found)
    detail = {"kind": "findings", "from": known, "to": found, "report": item.id}
    await journal.write(conn, _entry(item, detail), item.now)


def _entry(item: Item, detail: dict[str, Any]) -> journal.Entry:
    node = item.node.id
    return journal.Entry(actor=f"node:{node}", action="node.fact", subject=f"node:{node}", detail=detail)
