"""Orders to nodes, and the evidence that answers them."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from wire.vocabulary import OrderKind

from ..desk.ordering import give_order, look_at, take_away
from ..store import views
from ..store.desk import EVIDENCE, ORDERS, one
from ..store.evidence import PackRow, Touch
from .endpoint import Call, Endpoint, File, Filter, Listed, Paging, found_or_404, listed


class OrderQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which orders."""

    node: Filter | None = None
    incident: Filter | None = None
    kind: Filter | None = None
    state: Filter | None = None


class EvidenceQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which packs."""

    node: Filter | None = None
    incident: Filter | None = None
    state: Filter | None = None


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order to give.

    Fields:
        dry_run: The node only tells whether it would; false: it does it, and `reason` says why.
    """

    node: Annotated[str, Meta(min_length=1, max_length=64)]
    kind: OrderKind
    params: dict[str, Any] = {}
    dry_run: bool = True
    reason: Annotated[str, Meta(max_length=2000)] = ""


class Evidence(PackRow, frozen=True, kw_only=True):
    """A pack with its chain of custody, oldest first."""

    custody: list[Touch]


async def _list(call: Call) -> Listed[views.OrderFile]:
    return await listed(call, ORDERS)


async def _one(call: Call) -> views.OrderFile:
    return await _order(call, call.path["id"])


async def _order(call: Call, key: str) -> views.OrderFile:
    async with call.desk.store.read() as conn:
        row = await one(conn, ORDERS, views.OrderFile, (key,), units=call.units)
    return found_or_404(row, f"order {key!r}")


async def _give(call: Call) -> views.OrderFile:
    body: Asked = call.body
    order = await give_order(
        call.desk,
        call.principal,
        body.node,
        body.kind,
        body.params,
        reason=body.reason,
        dry_run=body.dry_run,
        now=call.now,
    )
    return await _order(call, order.id)


async def _packs(call: Call) -> Listed[PackRow]:
    return await listed(call, EVIDENCE)


async def _pack(call: Call) -> Evidence:
    pack, touches = await look_at(call.desk, call.principal, call.path["id"], now=call.now)
    return Evidence(**{name: getattr(pack, name) for name in pack.__struct_fields__}, custody=touches)


async def _content(call: Call) -> File:
    pack, body = await take_away(call.desk, call.principal, call.path["id"], now=call.now)
    return File(name=f"{pack.host or 'node'}-{pack.name}", media_type="application/octet-stream", body=body)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/orders",
        name="listOrders",
        summary="Orders to nodes, newest first",
        handler=_list,
        answer=Listed[views.OrderFile],
        query=OrderQuery,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders",
        name="giveOrder",
        summary="Give a node an order; unless `dry_run` is false it only tells whether it would",
        handler=_give,
        answer=views.OrderFile,
        deed="act",
        body=Asked,
        problems=("not-found", "conflict"),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/orders/{id}",
        name="getOrder",
        summary="One order and what became of it",
        handler=_one,
        answer=views.OrderFile,
        problems=("not-found",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/evidence",
        name="listEvidence",
        summary="Evidence packs, newest first",
        handler=_packs,
        answer=Listed[PackRow],
        query=EvidenceQuery,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/evidence/{id}",
        name="getEvidence",
        summary="An evidence pack with its chain of custody; the look is written into it",
        handler=_pack,
        answer=Evidence,
        deed="act",
        problems=("not-found",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/evidence/{id}/content",
        name="exportEvidence",
        summary="The content of a proved evidence pack; the export is written into its chain of custody",
        handler=_content,
        answer=File,
        media="application/octet-stream",
        deed="act",
        problems=("not-found", "conflict"),
    ),
)
