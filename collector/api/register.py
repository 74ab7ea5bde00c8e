"""What stands in the register: in memory, by key, with the same cursors as the tables."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from msgspec import Struct

from ..registry import Registry
from .cursor import mark, place
from .endpoint import Call, Endpoint, Listed, Paging, found_or_404

Item = TypeVar("Item", bound=Struct)


def entry_routes(
    name: str,
    item: type[Item],
    page: type[Listed[Item]],
    entries: Callable[[Registry], Mapping[str, Item]],
    *,
    seen: Callable[[Call, Item], bool],
    query: type[Paging],
) -> tuple[Endpoint, Endpoint]:
    """Return the list of a kind of entry, and one of them by its key.

    Args:
        name: Of one, `asset`; its routes are `/api/v1/assets` and below.
        item: What an entry is.
        page: What a page of them is.
        entries: Where they stand.
        seen: Whether the caller may see one; what may not be seen is not there.
        query: Its fields besides the paging's narrow the list to entries with the same in that field.
    """

    async def listing(call: Call) -> Listed[Item]:
        found = entries(call.desk.registry()).items()
        return _page(
            call, {key: one for key, one in found if seen(call, one) and _is_wanted(call.query, one)}
        )

    async def single(call: Call) -> Item:
        key = call.path["id"]
        one = entries(call.desk.registry()).get(key)
        return found_or_404(one if one is not None and seen(call, one) else None, f"{name} {key!r}")

    title = name.capitalize()
    return (
        Endpoint(
            method="GET",
            path=f"/api/v1/{name}s",
            name=f"list{title}s",
            summary=f"{title}s of the register",
            handler=listing,
            answer=page,
            query=query,
        ),
        Endpoint(
            method="GET",
            path=f"/api/v1/{name}s/{{id}}",
            name=f"get{title}",
            summary=f"One {name}",
            handler=single,
            answer=item,
            problems=("not-found",),
        ),
    )


def _is_wanted(query: Any, item: Struct) -> bool:  # noqa: ANN401 - each kind has its own
    narrowing = set(query.__struct_fields__) - set(Paging.__struct_fields__)
    return all(getattr(query, field) in {None, getattr(item, field)} for field in narrowing)


def _page(call: Call, entries: Mapping[str, Item]) -> Listed[Item]:
    """Answer the page of `entries`, sorted by key, that the caller's cursor stands for."""
    after = place(call.query.cursor, (str,))[0] if call.query.cursor else ""
    keys = sorted(key for key in entries if key > str(after))
    shown = keys[: call.query.limit]
    return Listed([entries[key] for key in shown], mark([shown[-1]]) if len(keys) > len(shown) else None)
