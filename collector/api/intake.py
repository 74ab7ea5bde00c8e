"""Webhooks of other tools, unedited: what they send becomes incidents, or is kept where people see it."""

from ..desk.problem import ProblemError
from ..desk.world import Taken
from .endpoint import Call, Endpoint

MOST_BYTES = 4 * 1024 * 1024
INTAKES = ("alertmanager", "grafana")


def _endpoint(name: str) -> Endpoint:
    async def take(call: Call) -> Taken:
        if call.desk.take_alerts is None:
            raise ProblemError("not-found", "this process takes no alerts")
        return await call.desk.take_alerts(name, call.body, call.now)

    return Endpoint(
        method="POST",
        path=f"/api/v1/intake/{name}",
        name=f"take{name.capitalize()}",
        summary=f"The webhook of {name.capitalize()}, as it sends it",
        handler=take,
        answer=Taken,
        deed="report",
        local=True,
        upload=MOST_BYTES,
        media="application/json",
        problems=("not-found",),
    )


ENDPOINTS = tuple(_endpoint(name) for name in INTAKES)
