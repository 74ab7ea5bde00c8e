"""Ways out as judged: one row a node and key, kept when it is gone."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, to_builtins
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.vocabulary import Verdict

from ..exposure import Judged
from .schema import exits


class Change(Struct, frozen=True, kw_only=True):
    """What a judging did to a row.

    Fields:
        key: The row's key.
        before: The verdict so far; None where the way is new or was gone.
        judged: The way as judged now; None where it is gone.
    """

    key: str
    before: Verdict | None
    judged: Judged | None

    @property
    def fresh(self) -> bool:
        """Whether the verdict differs from the one before."""
        return (self.judged.verdict if self.judged else None) != self.before


async def keep_exits(
    conn: AsyncConnection,
    node: str,
    unit: str,
    judged: Iterable[Judged],
    now: datetime,
    *,
    told: str = "exits",
) -> tuple[Change, ...]:
    """Bring a node's rows to what was judged now; what is no longer there is marked as gone.

    `told` is the kind of the report that let judge: one that says nothing of a row leaves it last seen as it
    was. Else a host that comes back after days would first tell itself, and everything that is gone since
    then were seen once more.

    Returns:
        A change for every way judged now and for every one that is gone since the last time.
    """
    rows = await conn.execute(
        sa.select(exits.c.key, exits.c.verdict, exits.c.gone_at).where(exits.c.node == node)
    )
    known = {row.key: None if row.gone_at else row.verdict for row in rows}
    changes = []
    for one in judged:
        values = _values(unit, one, now)
        if one.key in known:
            if known[one.key] is None:
                values["first_seen"] = now
            elif told not in _seen_by(one):
                del values["last_seen"]
            here = (exits.c.node == node, exits.c.key == one.key)
            await conn.execute(exits.update().where(*here).values(**values))
        else:
            await conn.execute(exits.insert().values(node=node, key=one.key, first_seen=now, **values))
        changes.append(Change(key=one.key, before=known.pop(one.key, None), judged=one))
    gone = [Change(key=key, before=verdict, judged=None) for key, verdict in known.items() if verdict]
    for change in gone:
        here = (exits.c.node == node, exits.c.key == change.key)
        await conn.execute(exits.update().where(*here).values(gone_at=now))
    return (*changes, *gone)


def _seen_by(one: Judged) -> frozenset[str]:
    """Return the kinds of report that show what was judged to be there."""
    if one.key.startswith("service/"):
        return frozenset({"asset"})
    if one.key in {"gateway", "mail/connections"}:
        return frozenset({"sockets"})
    return frozenset({"exits", "sockets"} if one.verdict == "used" else {"exits"})


def _values(unit: str, one: Judged, now: datetime) -> dict[str, Any]:
    return {
        "unit": unit,
        "link": one.link,
        "link_kind": one.link_kind,
        "next_hop": one.next_hop,
        "addresses": list(one.addresses),
        "verdict": one.verdict,
        "sanctioned_by": one.sanctioned_by,
        "evidence": {"reasons": to_builtins(one.reasons), "seen": list(one.evidence)},
        "confidence": one.confidence,
        "last_seen": now,
        "gone_at": None,
    }
