"""What an agent says of its updates and of pushed settings: what was taken back is noted at the node."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ..store import facts, journal
from .port import Item

KINDS = frozenset(facts.UPKEEP)
_LONGEST = 300


class Upkeep:
    """Second stage. Heartbeats are many: only one that says something new costs a look at the node."""

    name = "upkeep"

    async def apply(self, conn: AsyncConnection, item: Item) -> Item | None:
        """Note what became of an update or of pushed settings, or that it is mended."""
        if item.kind == "heartbeat" and isinstance(item.body, Mapping):
            told = _told(item.body.get("update")) + _given_up(item.body.get("pushed"))
            if told != _of_upkeep(item.node.findings):
                await self._note(conn, item, told)
        return item

    @staticmethod
    async def _note(conn: AsyncConnection, item: Item, told: list[dict[str, Any]]) -> None:
        known = await facts.findings_of(conn, item.node.id)
        if _of_upkeep(known) == told:
            return
        found = [one for one in known if one["kind"] not in KINDS] + told
        await facts.set_findings(conn, item.node.id, found)
        node = item.node.id
        detail = {"kind": "findings", "from": known, "to": found, "report": item.id}
        entry = journal.Entry(actor=f"node:{node}", action="node.fact", subject=f"node:{node}", detail=detail)
        await journal.write(conn, entry, item.now)


def _of_upkeep(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in findings if one["kind"] in KINDS]


def _told(update: object) -> list[dict[str, Any]]:
    """Return the finding that a heartbeat's `update` is; a node's own words are cut, never believed."""
    if not isinstance(update, Mapping):
        return []
    kind = f"update_{update.get('state')}"
    if kind not in KINDS:
        return []
    words = {
        name: value[:_LONGEST]
        for name in ("version", "before", "why")
        if isinstance(value := update.get(name), str) and value
    }
    return [{"kind": kind, **words}]


def _given_up(pushed: object) -> list[dict[str, Any]]:
    """Return the finding that the node rolled settings back and holds none that are newer."""
    if not isinstance(pushed, Mapping):
        return []
    refused, held = pushed.get("refused"), pushed.get("version")
    if not isinstance(refused, int) or not isinstance(held, int) or refused <= held:
        return []
    return [{"kind": "settings_rolled_back", "version": str(refused)[:20], "before": str(held)[:20]}]
