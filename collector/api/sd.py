"""Service discovery for Prometheus (HTTP SD): the agents whose own metrics listener is on.

An agent says in its heartbeat where that listener is (`metrics_address`, host:port); one that says nothing
has none and is not listed, so no scrape goes to a closed port.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from ..registry import Registry
from ..store.figures import Listener, metrics_listeners
from ..trust.ca import node_name
from .endpoint import Call, Endpoint


class TargetGroup(Struct, frozen=True, kw_only=True):
    """One agent as HTTP SD wants it; labels stay on the target, `__meta_` ones are for relabelling only."""

    targets: list[str]
    labels: dict[str, str]


async def _agents(call: Call) -> list[TargetGroup]:
    async with call.desk.store.read() as conn:
        listeners = await metrics_listeners(conn, units=call.units)
    registry = call.desk.registry()
    return [
        TargetGroup(targets=[listener.address], labels=dict(_labels(listener, registry)))
        for listener in listeners
    ]


def _labels(listener: Listener, registry: Registry) -> Iterator[tuple[str, str]]:
    asset = registry.asset_of(listener.assets)
    unit = registry.unit(listener.unit)
    values: dict[str, Any] = {
        "unit": listener.unit,
        "grade": asset.mlps_grade if asset else None,
        "zone": asset.zone if asset else None,
        "__meta_fengsui_node": listener.node,
        "__meta_fengsui_host_name": listener.host_name,
        "__meta_fengsui_server_name": node_name(listener.node),
        "__meta_fengsui_region": unit.region if unit else None,
        "__meta_fengsui_asset": asset.id if asset else None,
    }
    for name, value in values.items():
        yield name, "" if value is None else str(value)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/sd/agents",
        name="discoverAgents",
        summary="Agents as targets of Prometheus (HTTP SD)",
        handler=_agents,
        answer=list[TargetGroup],
        deed="scrape",
        local=True,
    ),
)
