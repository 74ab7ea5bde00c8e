"""What machines ask of the process: is it alive, can it work, what are its numbers."""

import asyncio
from datetime import timedelta

import msgspec
from aiohttp import web

from ..desk.application import FAULTS
from ..desk.identity import identify, is_local
from ..desk.problem import ProblemError
from ..desk.rights import allow
from ..desk.world import Desk
from ..errors import FengsuiError
from ..metrics import CONTENT_TYPE, Figures, render
from ..store.figures import Reader

STALE = timedelta(seconds=10)
"""The duty clock ticks every second; ten without a tick are no hiccup."""

FRESH = timedelta(seconds=2)
"""Scrapes within this time share one reading of the database."""


def routes(desk: Desk) -> list[web.RouteDef]:
    """Return `/healthz`, `/readyz` and `/metrics`."""
    reader = Reader(desk.store, desk.registry, desk.unit, fresh=FRESH, since=desk.clock())

    async def healthz(request: web.Request) -> web.Response:
        del request
        return web.Response(text="ok\n")

    async def readyz(request: web.Request) -> web.Response:
        del request
        checks = {"database": await _database(desk), "clock": _clock(desk)}
        ready = all(said == "ok" for said in checks.values())
        body = msgspec.json.encode({"ready": ready, "checks": checks})
        return web.Response(body=body, status=200 if ready else 503, content_type="application/json")

    async def metrics(request: web.Request) -> web.Response:
        await _may_scrape(request, desk)
        now = desk.clock()
        figures = Figures(
            state=await reader.read(now),
            pulses={name: (now - at).total_seconds() for name, at in desk.pulses().items()},
            counters={**desk.counters(), "fengsui_http_faults_total": sum(request.app[FAULTS].values())},
            version=desk.version,
        )
        text = await asyncio.to_thread(render, figures, now)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]


async def _database(desk: Desk) -> str:
    try:
        async with asyncio.timeout(2), desk.store.read() as conn:
            await conn.exec_driver_sql("SELECT 1")
    except (FengsuiError, TimeoutError) as error:
        return str(error) or "no answer within 2 s"
    return "ok"


def _clock(desk: Desk) -> str:
    beat = desk.pulses().get("clock")
    if beat is None:
        return "the duty clock has not ticked yet"
    age = desk.clock() - beat
    return "ok" if age < STALE else f"the duty clock last ticked {age.total_seconds():.0f} s ago"


async def _may_scrape(request: web.Request, desk: Desk) -> None:
    if is_local(request):
        return
    principal = await identify(request, desk)
    if principal is None:
        raise ProblemError(
            "unauthenticated", "off loopback /metrics wants a token: `token create --api metrics`"
        )
    allow(principal, "scrape")
