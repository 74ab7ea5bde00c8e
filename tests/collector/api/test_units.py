from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import ClientSession, CookieJar

from tests.browser.watch_room import PASSWORD, Room

Ask = Callable[..., Awaitable[tuple[int, Any]]]


async def test_units_are_told_as_the_register_has_them(ask: Ask) -> None:
    _, below = await ask("/api/v1/units?superior=city")
    _, one = await ask("/api/v1/units/district")

    assert [unit["id"] for unit in below["items"]] == ["district"]
    assert (one["name_en"], one["timezone"]) == ("Example District Data Centre", "Asia/Shanghai")


async def test_a_person_sees_their_unit_and_those_below_and_no_other(room: Room) -> None:
    await room.account("li", "viewer", "li-na")
    async with ClientSession(room.url, cookie_jar=CookieJar(unsafe=True)) as session:
        await session.post("/sign-in", data={"name": "li", "password": PASSWORD})
        async with session.get("/api/v1/units") as answer:
            seen = [unit["id"] for unit in (await answer.json())["items"]]
        async with session.get("/api/v1/units/city") as above:
            assert above.status == 404

    assert seen == ["district", "district-hospital"]
