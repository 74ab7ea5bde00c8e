"""Obligations: every report owed, as a clock."""

from ..store import views
from ..store.desk import OBLIGATIONS, one
from .endpoint import Call, Endpoint, Filter, Listed, Paging, found_or_404, listed


class ObligationQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which obligations."""

    incident: Filter | None = None
    state: Filter | None = None
    regime: Filter | None = None
    recipient: Filter | None = None


async def _list(call: Call) -> Listed[views.ObligationRow]:
    return await listed(call, OBLIGATIONS)


async def _one(call: Call) -> views.ObligationRow:
    key = call.path["id"]
    async with call.desk.store.read() as conn:
        row = await one(conn, OBLIGATIONS, views.ObligationRow, (key,), units=call.units)
    return found_or_404(row, f"obligation {key!r}")


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/obligations",
        name="listObligations",
        summary="Reports owed, newest first",
        handler=_list,
        answer=Listed[views.ObligationRow],
        query=ObligationQuery,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/obligations/{id}",
        name="getObligation",
        summary="One report owed",
        handler=_one,
        answer=views.ObligationRow,
        problems=("not-found",),
    ),
)
