"""Assets: systems with their protection grade, as the register has them. A classified one is a name only."""

from ..registry import Asset
from .endpoint import Call, Filter, Listed, Paging
from .register import entry_routes


class AssetQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which assets."""

    unit: Filter | None = None
    zone: Filter | None = None


def _seen(call: Call, asset: Asset) -> bool:
    return call.units is None or asset.unit in call.units or asset.operator in call.units


ENDPOINTS = entry_routes(
    "asset", Asset, Listed[Asset], lambda registry: registry.assets, seen=_seen, query=AssetQuery
)
