"""The JSON API: one resource a file, one table of routes, one openapi.json made from it."""

import msgspec
from aiohttp import web

from ..desk.application import Room
from ..desk.world import Desk
from . import (
    assets,
    audit,
    drills,
    exits,
    filings,
    health,
    incidents,
    intake,
    nodes,
    obligations,
    orders,
    reports,
    runs,
    sd,
    units,
)
from .endpoint import Endpoint, route
from .openapi import describe
from .problem import refuse

ENDPOINTS: tuple[Endpoint, ...] = (
    *nodes.ENDPOINTS,
    *assets.ENDPOINTS,
    *units.ENDPOINTS,
    *exits.ENDPOINTS,
    *incidents.ENDPOINTS,
    *obligations.ENDPOINTS,
    *filings.ENDPOINTS,
    *reports.ENDPOINTS,
    *runs.ENDPOINTS,
    *drills.ENDPOINTS,
    *orders.ENDPOINTS,
    *audit.ENDPOINTS,
    *sd.ENDPOINTS,
    *intake.ENDPOINTS,
)


def room(desk: Desk) -> Room:
    """Return the API over a world, with what machines ask of the process."""
    document = msgspec.json.encode(describe(ENDPOINTS, desk.version))

    async def openapi(request: web.Request) -> web.Response:
        del request
        return web.Response(body=document, content_type="application/json")

    routes = [
        web.get("/api/v1/openapi.json", openapi),
        *(route(desk, endpoint) for endpoint in ENDPOINTS),
        *health.routes(desk),
    ]
    return Room(("/api/", "/metrics", "/healthz", "/readyz"), routes, refuse)
