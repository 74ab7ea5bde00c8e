from collections.abc import Awaitable, Callable
from typing import Any

Ask = Callable[..., Awaitable[tuple[int, Any]]]


async def test_what_stands_in_the_register_is_paged_by_key(ask: Ask) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        _, page = await ask(f"/api/v1/assets?limit=3{cursor}")
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"

    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen)
