"""Exits: the ways from nodes to the internet, each with its verdict."""

from ..store import views
from ..store.desk import EXIT_DAYS, EXITS, one
from .endpoint import Call, Endpoint, Filter, Listed, Paging, found_or_404, listed


class ExitQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which exits."""

    unit: Filter | None = None
    node: Filter | None = None
    verdict: Filter | None = None


class DayQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which days."""

    unit: Filter | None = None
    day: Filter | None = None


async def _days(call: Call) -> Listed[views.ExitDayRow]:
    return await listed(call, EXIT_DAYS, (str, str))


async def _list(call: Call) -> Listed[views.ExitRow]:
    return await listed(call, EXITS, (str, str))


async def _one(call: Call) -> views.ExitRow:
    key = (call.path["node"], call.path["key"])
    async with call.desk.store.read() as conn:
        return found_or_404(await one(conn, EXITS, views.ExitRow, key, units=call.units), f"exit {key!r}")


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/exits",
        name="listExits",
        summary="Ways from nodes to the internet, with verdicts",
        handler=_list,
        answer=Listed[views.ExitRow],
        query=ExitQuery,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/exits/days",
        name="listExitDays",
        summary="The exit register day by day: declared against observed, hosts outside the registered exit",
        handler=_days,
        answer=Listed[views.ExitDayRow],
        query=DayQuery,
    ),
    Endpoint(
        method="GET",
        path=r"/api/v1/exits/{node}/{key:.+}",
        name="getExit",
        summary="One way out of one node",
        handler=_one,
        answer=views.ExitRow,
        problems=("not-found",),
    ),
)
