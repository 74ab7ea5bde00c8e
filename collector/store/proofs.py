"""An incident's filings as far as its clocks are concerned: for which clock, when, and whether it arrived."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from .schema import filings


class Proof(Struct, frozen=True, kw_only=True):
    """A filing as far as clocks are concerned.

    Fields:
        id: The filing's row.
        clock: The clock it was made for.
        at: When it was filed.
        receipt_at: When it arrived, by the receipt; None: not known to have arrived.
        complete: False while items were left open.
    """

    id: str
    clock: str
    at: datetime
    receipt_at: datetime | None
    complete: bool


async def proofs_of(connection: AsyncConnection, incidents: Iterable[str]) -> dict[str, list[Proof]]:
    """Return what was filed for each incident, earliest first; what waits to be sent was not filed."""
    query = (
        sa.select(filings)
        .where(filings.c.incident.in_(list(incidents)), filings.c.filed_at.is_not(None))
        .order_by(filings.c.filed_at, filings.c.id)
    )
    found: dict[str, list[Proof]] = {}
    for row in (await connection.execute(query)).mappings():
        proof = Proof(
            id=row["id"],
            clock=row["clock"],
            at=row["filed_at"],
            receipt_at=row["receipt_at"],
            complete=row["payload"].get("complete", True) is not False,
        )
        found.setdefault(row["incident"], []).append(proof)
    return found
