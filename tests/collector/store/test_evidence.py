"""Evidence packs: whole or said to be broken, and every touch in the journal."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SM3, Hash
from msgspec.structs import replace

from collector.store.engine import Store
from collector.store.evidence import Manifest, content, custody, keep_chunk, keep_manifest, pack_of, touch
from collector.store.orders import add_order

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)
PIECES = (b"first piece", b"second piece", b"third")
WHOLE = b"".join(PIECES)


def manifest(order: str, whole: bytes = WHOLE, chunks: int = 3) -> Manifest:
    sm3 = Hash(SM3())
    sm3.update(whole)
    return Manifest(
        order=order,
        name="evidence.json",
        size=len(whole),
        sha256=hashlib.sha256(whole).hexdigest(),
        sm3=sm3.finalize().hex(),
        chunks=chunks,
        items=["sockets"],
        host="web-1",
    )


async def order(store: Store, node: str = "n") -> str:
    async with store.write() as conn:
        row = await add_order(
            conn,
            key="k",
            node=node,
            incident=None,
            kind="collect_evidence",
            params={},
            deadline=NOW + timedelta(minutes=5),
            now=NOW,
        )
    return row.id


async def send(store: Store, order_id: str, numbers: list[int], said: Manifest) -> list[bool]:
    async with store.write() as conn:
        kept = [await keep_manifest(conn, said, node="n", unit="city", now=NOW)]
        kept += [
            await keep_chunk(conn, order_id, number, PIECES[number], node="n", now=NOW) for number in numbers
        ]
    return kept


async def test_pieces_in_any_order_and_twice_become_the_whole_that_the_manifest_says(
    sqlite_state: Store,
) -> None:
    key = await order(sqlite_state)

    kept = await send(sqlite_state, key, [2, 0, 0, 2, 1, 1], manifest(key))

    assert all(kept)
    async with sqlite_state.read() as conn:
        pack = await pack_of(conn, key)
        assert pack is not None
        assert (pack.state, pack.arrived, pack.unit) == ("proved", 3, "city")
        assert await content(conn, key) == WHOLE
        touches = await custody(conn, key)
    assert [one.action for one in touches] == ["evidence.received", "evidence.proved"]
    assert touches[1].detail["sm3"] == manifest(key).sm3
    assert all(len(one.hash) == 64 for one in touches)


async def test_a_pack_goes_on_where_it_broke_off(sqlite_state: Store) -> None:
    key = await order(sqlite_state)
    await send(sqlite_state, key, [0], manifest(key))

    await send(sqlite_state, key, [1, 2], manifest(key))

    async with sqlite_state.read() as conn:
        pack = await pack_of(conn, key)
    assert pack is not None
    assert pack.state == "proved"


@pytest.mark.parametrize("field", ["sha256", "sm3", "size"])
async def test_what_is_not_what_it_claims_is_kept_and_said(sqlite_state: Store, field: str) -> None:
    key = await order(sqlite_state)
    wrong = replace(manifest(key), **{field: 7 if field == "size" else "0" * 64})

    await send(sqlite_state, key, [0, 1, 2], wrong)

    async with sqlite_state.read() as conn:
        pack = await pack_of(conn, key)
        touches = await custody(conn, key)
    assert pack is not None
    assert pack.state == "broken"
    assert touches[-1].action == "evidence.broken"
    assert touches[-1].detail["size"] == len(WHOLE)


async def test_nobody_adds_to_the_evidence_of_another(sqlite_state: Store) -> None:
    key = await order(sqlite_state)
    async with sqlite_state.write() as conn:
        assert not await keep_manifest(conn, manifest(key), node="other", unit="city", now=NOW)
        assert not await keep_manifest(conn, manifest("none"), node="n", unit="city", now=NOW)
        assert not await keep_chunk(conn, key, 0, b"x", node="n", now=NOW)
        assert await keep_manifest(conn, manifest(key), node="n", unit="city", now=NOW)
        assert not await keep_chunk(conn, key, 0, b"x", node="other", now=NOW)
        assert not await keep_chunk(conn, key, 3, b"x", node="n", now=NOW)


async def test_a_manifest_that_comes_again_replaces_nothing(sqlite_state: Store) -> None:
    key = await order(sqlite_state)
    await send(sqlite_state, key, [], manifest(key))

    await send(sqlite_state, key, [], manifest(key, b"other", 1))

    async with sqlite_state.read() as conn:
        pack = await pack_of(conn, key)
    assert pack is not None
    assert (pack.chunks, pack.sha256) == (3, manifest(key).sha256)


async def test_an_empty_pack_is_whole_at_once(sqlite_state: Store) -> None:
    key = await order(sqlite_state)

    await send(sqlite_state, key, [], manifest(key, b"", 0))

    async with sqlite_state.read() as conn:
        pack = await pack_of(conn, key)
    assert pack is not None
    assert pack.state == "proved"


async def test_who_touches_it_stands_in_its_chain_of_custody(sqlite_state: Store) -> None:
    key = await order(sqlite_state)
    await send(sqlite_state, key, [0, 1, 2], manifest(key))
    async with sqlite_state.write() as conn:
        pack = await pack_of(conn, key)
        assert pack is not None
        await touch(conn, pack, "evidence.exported", "user:li", NOW, sha256=pack.sha256)

    async with sqlite_state.read() as conn:
        last = (await custody(conn, key))[-1]

    assert (last.actor, last.action, last.detail) == ("user:li", "evidence.exported", {"sha256": pack.sha256})
