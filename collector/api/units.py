"""Units: the tree of authorities as the register has it."""

from ..registry import Unit
from .endpoint import Call, Filter, Listed, Paging
from .register import entry_routes


class UnitQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which units."""

    superior: Filter | None = None
    kind: Filter | None = None


def _seen(call: Call, unit: Unit) -> bool:
    return call.units is None or unit.id in call.units


ENDPOINTS = entry_routes(
    "unit", Unit, Listed[Unit], lambda registry: registry.units, seen=_seen, query=UnitQuery
)
