from collections.abc import Awaitable, Callable
from typing import Any

Ask = Callable[..., Awaitable[tuple[int, Any]]]


async def test_assets_are_told_with_their_grade_and_zone(ask: Ask) -> None:
    _, found = await ask("/api/v1/assets?unit=district&zone=internet")
    _, portal = await ask("/api/v1/assets/district-portal")

    assert found["items"] == [portal]
    assert (portal["mlps_grade"], portal["zone"]) == (3, "internet")


async def test_a_classified_asset_is_a_name_and_nothing_more(ask: Ask) -> None:
    _, told = await ask("/api/v1/assets/district-classified")

    assert {name for name, value in told.items() if value} == {"id", "name", "unit", "classified"}
