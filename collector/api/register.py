"""Pages of what stands in the register: in memory, by key, with the same cursors as the tables."""

from collections.abc import Mapping
from typing import TypeVar

from msgspec import Struct

from .cursor import mark, place
from .endpoint import Call, Listed

Item = TypeVar("Item", bound=Struct)


def listed_entries(call: Call, entries: Mapping[str, Item]) -> Listed[Item]:
    """Answer the page of `entries`, sorted by key, that the caller's cursor stands for."""
    after = place(call.query.cursor, (str,))[0] if call.query.cursor else ""
    keys = sorted(key for key in entries if key > str(after))
    shown = keys[: call.query.limit]
    return Listed([entries[key] for key in shown], mark([shown[-1]]) if len(keys) > len(shown) else None)
