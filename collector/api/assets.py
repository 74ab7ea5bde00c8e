"""Assets: systems with their protection grade, as the register has them. A classified one is a name only."""

from ..registry import Asset
from .endpoint import Call, Endpoint, Filter, Listed, Paging, found_or_404
from .register import listed_entries


class AssetQuery(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which assets."""

    unit: Filter | None = None
    zone: Filter | None = None


def _seen(call: Call, asset: Asset) -> bool:
    return call.units is None or asset.unit in call.units or asset.operator in call.units


async def _list(call: Call) -> Listed[Asset]:
    entries = {
        key: asset
        for key, asset in call.desk.registry().assets.items()
        if _seen(call, asset)
        and call.query.unit in {None, asset.unit}
        and call.query.zone in {None, asset.zone}
    }
    return listed_entries(call, entries)


async def _one(call: Call) -> Asset:
    key = call.path["id"]
    asset = call.desk.registry().asset(key)
    return found_or_404(asset if asset and _seen(call, asset) else None, f"asset {key!r}")


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/assets",
        name="listAssets",
        summary="Assets of the register",
        handler=_list,
        answer=Listed[Asset],
        query=AssetQuery,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/assets/{id}",
        name="getAsset",
        summary="One asset",
        handler=_one,
        answer=Asset,
        problems=("not-found",),
    ),
)
