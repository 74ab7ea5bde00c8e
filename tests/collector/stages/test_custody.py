"""Evidence on its way into custody; hostile bodies end in the journal and stop nothing."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SM3, Hash

from collector.stages.custody import Custody
from collector.store.evidence import content, pack_of
from collector.store.orders import add_order
from collector.store.schema import journal
from tests.collector.stages.conftest import NOON

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.stages import Item
    from collector.store.engine import Store

WHOLE = b'{"taken": {}}'


async def ordered(store: Store) -> str:
    async with store.write() as conn:
        row = await add_order(
            conn,
            key="k",
            node="n",
            incident=None,
            kind="collect_evidence",
            params={},
            deadline=NOON + timedelta(minutes=5),
            now=NOON,
        )
    return row.id


def manifest(order: str) -> dict[str, Any]:
    sm3 = Hash(SM3())
    sm3.update(WHOLE)
    return {
        "order": order,
        "name": "evidence.json",
        "size": len(WHOLE),
        "sha256": hashlib.sha256(WHOLE).hexdigest(),
        "sm3": sm3.finalize().hex(),
        "chunks": 1,
        "items": ["sockets"],
        "host": "web-1",
    }


async def test_a_manifest_and_its_piece_become_a_proved_pack(
    sqlite_state: Store, make_item: Callable[..., Item]
) -> None:
    order = await ordered(sqlite_state)
    piece = {"order": order, "name": "evidence.json", "chunk": 0, "data": b64encode(WHOLE).decode()}

    async with sqlite_state.write() as conn:
        passed = [
            await Custody().apply(conn, make_item("evidence", body)) for body in (manifest(order), piece)
        ]

    assert passed == [None, None]
    async with sqlite_state.read() as conn:
        pack = await pack_of(conn, order)
        assert pack is not None
        assert (pack.state, await content(conn, order)) == ("proved", WHOLE)


async def test_other_kinds_go_on(sqlite_state: Store, make_item: Callable[..., Item]) -> None:
    item = make_item("heartbeat", {})
    async with sqlite_state.write() as conn:
        assert await Custody().apply(conn, item) is item


@pytest.mark.parametrize(
    "change",
    [
        {"order": "unknown"},
        {"order": 7},
        {"size": 10**12},
        {"chunks": 10**6},
        {"sha256": "x"},
        {"name": "../../etc/passwd"},
        {"chunk": -1, "data": ""},
        {"chunk": 0, "data": "not base64!"},
        {"chunk": 0, "data": b64encode(bytes(200_000)).decode()},
    ],
)
async def test_what_answers_no_order_or_is_no_pack_is_written_down_and_ends(
    sqlite_state: Store, make_item: Callable[..., Item], change: dict[str, Any]
) -> None:
    order = await ordered(sqlite_state)

    async with sqlite_state.write() as conn:
        assert await Custody().apply(conn, make_item("evidence", manifest(order) | change)) is None

    async with sqlite_state.read() as conn:
        query = sa.select(journal.c.detail).where(journal.c.action == "audit.finding")
        (detail,) = (await conn.execute(query)).scalars()
        assert await pack_of(conn, order) is None
    assert detail["finding"] == "evidence_refused"
