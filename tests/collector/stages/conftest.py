"""Reports on their way through the stages."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from collector.stages import Item
from collector.stages.bodies import decode_body
from collector.store.facts import NodeRow
from wire.messages import ReportKind

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
MakeItem = Callable[..., Item]


@pytest.fixture
def make_item() -> MakeItem:
    """Make the item of a report; keyword arguments replace its fields."""

    def make(kind: ReportKind, body: dict[str, Any], **fields: Any) -> Item:  # noqa: ANN401 - an item's fields
        raw = msgspec.Raw(msgspec.json.encode(body))
        item = Item(
            id="r1",
            place="1/e/1",
            kind=kind,
            node=NodeRow(id="n", unit="county", host_name="web-1", assets=["portal"]),
            source=kind,
            observed_at=NOON,
            received_at=NOON,
            raw=raw,
            body=decode_body(kind, raw),
            now=NOON,
        )
        return replace(item, **fields)

    return make
