"""Filings: reports sent for obligations with their receipts, and reports received from below."""

from ..store import views
from ..store.desk import FILINGS, RECEIVED, one
from .endpoint import Call, Endpoint, Filter, Listed, Paging, found_or_404, listed


class FilingQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which filings."""

    incident: Filter | None = None
    state: Filter | None = None
    recipient: Filter | None = None
    obligation: Filter | None = None


class ReceivedQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which received reports."""

    unit: Filter | None = None
    obligation: Filter | None = None
    level: Filter | None = None


async def _list(call: Call) -> Listed[views.FilingRow]:
    return await listed(call, FILINGS)


async def _one(call: Call) -> views.FilingFile:
    key = call.path["id"]
    async with call.desk.store.read() as conn:
        row = await one(conn, FILINGS, views.FilingFile, (key,), units=call.units)
    return found_or_404(row, f"filing {key!r}")


async def _received(call: Call) -> Listed[views.ReceivedRow]:
    return await listed(call, RECEIVED, (int,))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/filings",
        name="listFilings",
        summary="Reports sent, newest first",
        handler=_list,
        answer=Listed[views.FilingRow],
        query=FilingQuery,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/filings/received",
        name="listReceivedFilings",
        summary="Reports received from collectors below, newest first",
        handler=_received,
        answer=Listed[views.ReceivedRow],
        query=ReceivedQuery,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/filings/{id}",
        name="getFiling",
        summary="One report sent, with its content and receipt",
        handler=_one,
        answer=views.FilingFile,
        problems=("not-found",),
    ),
)
