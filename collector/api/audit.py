"""Audit: the journal of every change, newest first, with its hash chain."""

from ..store import views
from ..store.desk import AUDIT, one
from .endpoint import Call, Endpoint, Filter, Listed, Paging, found_or_404, listed

_LARGEST = 2**53


class AuditQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which entries."""

    incident: Filter | None = None
    action: Filter | None = None
    actor: Filter | None = None
    subject: Filter | None = None


async def _list(call: Call) -> Listed[views.AuditRow]:
    return await listed(call, AUDIT, (int,))


async def _one(call: Call) -> views.AuditRow:
    text = call.path["id"]
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else _LARGEST
    async with call.desk.store.read() as conn:
        row = await one(conn, AUDIT, views.AuditRow, (min(number, _LARGEST),), units=call.units)
    return found_or_404(row, f"journal entry {text!r}")


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/audit",
        name="listAudit",
        summary="Journal entries, newest first",
        handler=_list,
        answer=Listed[views.AuditRow],
        query=AuditQuery,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/audit/{id}",
        name="getAuditEntry",
        summary="One journal entry",
        handler=_one,
        answer=views.AuditRow,
        problems=("not-found",),
    ),
)
