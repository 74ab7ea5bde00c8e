"""Nodes: enrolled agents and collectors, with the newest of what each said."""

from ..store import views
from ..store.desk import NODES, facts_of, one
from .endpoint import Call, Endpoint, Filter, Listed, Paging, found_or_404, listed


class NodeQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which nodes."""

    unit: Filter | None = None
    state: Filter | None = None
    kind: Filter | None = None


class NodeFile(views.NodeRow, frozen=True, kw_only=True):
    """A node with the newest report of each kind."""

    facts: list[views.FactRow]


async def _list(call: Call) -> Listed[views.NodeRow]:
    return await listed(call, NODES)


async def _one(call: Call) -> NodeFile:
    key = call.path["id"]
    async with call.desk.store.read() as conn:
        node = found_or_404(await one(conn, NODES, views.NodeRow, (key,), units=call.units), f"node {key!r}")
        facts = await facts_of(conn, key)
    return NodeFile(**{name: getattr(node, name) for name in node.__struct_fields__}, facts=facts)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/nodes",
        name="listNodes",
        summary="Enrolled agents and collectors",
        handler=_list,
        answer=Listed[views.NodeRow],
        query=NodeQuery,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/nodes/{id}",
        name="getNode",
        summary="One node with the newest report of each kind",
        handler=_one,
        answer=NodeFile,
        problems=("not-found",),
    ),
)
