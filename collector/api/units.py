"""Units: the tree of authorities as the register has it."""

from ..registry import Unit
from .endpoint import Call, Endpoint, Filter, Listed, Paging, found_or_404
from .register import listed_entries


class UnitQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which units."""

    superior: Filter | None = None
    kind: Filter | None = None


def _seen(call: Call, unit: Unit) -> bool:
    return call.units is None or unit.id in call.units


async def _list(call: Call) -> Listed[Unit]:
    entries = {
        key: unit
        for key, unit in call.desk.registry().units.items()
        if _seen(call, unit)
        and call.query.superior in {None, unit.superior}
        and call.query.kind in {None, unit.kind}
    }
    return listed_entries(call, entries)


async def _one(call: Call) -> Unit:
    key = call.path["id"]
    unit = call.desk.registry().unit(key)
    return found_or_404(unit if unit and _seen(call, unit) else None, f"unit {key!r}")


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/units",
        name="listUnits",
        summary="Units of the register",
        handler=_list,
        answer=Listed[Unit],
        query=UnitQuery,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/units/{id}",
        name="getUnit",
        summary="One unit",
        handler=_one,
        answer=Unit,
        problems=("not-found",),
    ),
)
