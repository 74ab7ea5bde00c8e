import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession, ClientTimeout

from collector.console import sse
from tests.browser.watch_room import Room

Event = tuple[str, int | None, dict[str, Any]]


@asynccontextmanager
async def stream(
    session: ClientSession, query: str = "", **headers: str
) -> AsyncIterator[AsyncIterator[Event]]:
    """The events of one connection, as a browser reads them."""
    timeout = ClientTimeout(total=20)
    async with session.get(f"/events{query}", headers=headers, timeout=timeout) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")

        async def events() -> AsyncIterator[Event]:
            block: dict[str, str] = {}
            async for raw in answer.content:
                name, colon, value = raw.decode().rstrip("\n").partition(": ")
                if colon:
                    block[name] = value
                elif "data" in block:
                    number = int(block["id"]) if "id" in block else None
                    yield block.get("event", ""), number, msgspec.json.decode(block["data"])
                    block = {}

        yield events()


async def changes(events: AsyncIterator[Event], wanted: int) -> list[Event]:
    found: list[Event] = []
    async for event in events:
        if event[0] == "journal":
            found.append(event)
        if len(found) == wanted:
            break
    return found


async def count(room: Room) -> int:
    async with room.store.read() as conn:
        found: int = (await conn.exec_driver_sql("SELECT count(*) FROM journal")).scalar_one()
    return found


async def test_a_change_is_told_in_the_readers_words_under_its_journal_id(
    room: Room, li: ClientSession
) -> None:
    async with stream(li) as events:
        kind, number, pulse = await anext(events)
        assert (kind, number, list(pulse)) == ("pulse", None, ["now"])
        incident = await room.open()
        [first, *_] = told = await changes(events, await count(room))

    assert [number for _, number, _ in told] == list(range(1, len(told) + 1))
    assert first[2]["action"] == "incident.opened"
    assert (first[2]["incident"], first[2]["text"].startswith("incident opened")) == (incident, True)


async def test_who_comes_back_is_told_what_was_missed(room: Room, li: ClientSession) -> None:
    await room.open()
    before = await count(room)
    await room.open()
    missed = await count(room) - before
    async with stream(li, **{"Last-Event-ID": str(before)}) as events:
        told = await changes(events, missed)

    assert [number for _, number, _ in told] == list(range(before + 1, before + missed + 1))


async def test_a_page_is_told_all_since_it_was_rendered(room: Room, li: ClientSession) -> None:
    await room.open()
    async with stream(li, "?after=0") as events:
        told = await changes(events, await count(room))

    assert told[0][1] == 1


async def test_a_change_of_another_unit_is_not_told(room: Room, li: ClientSession) -> None:
    await room.open(unit="city", asset="city-platform")
    async with stream(li, "?after=0") as events:
        told = await changes(events, await count(room))

    assert {(change["action"], change["incident"], change["text"]) for _, _, change in told} == {
        ("", None, "")
    }


async def test_an_id_that_commits_late_is_told_all_the_same(room: Room, li: ClientSession) -> None:
    await room.open()
    async with room.store.write() as conn:
        await conn.exec_driver_sql("UPDATE journal SET id = 9 WHERE id = 2")
    async with stream(li, "?after=0") as events:
        told = await changes(events, await count(room))
        async with room.store.write() as conn:
            await conn.exec_driver_sql("UPDATE journal SET id = 2 WHERE id = 9")
        late = await changes(events, 1)

    assert told[-1][1] == 9
    assert late[0][2]["id"] == 2


async def test_who_is_not_signed_in_gets_no_stream(room: Room) -> None:
    async with ClientSession(room.url) as session, session.get("/events") as answer:
        assert answer.status == 401


async def test_a_stream_ends_with_the_session(
    room: Room, li: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "PULSE", 0.0)
    async with stream(li) as events:
        await anext(events)
        async with room.store.write() as conn:
            await conn.exec_driver_sql("DELETE FROM sessions")

        async with asyncio.timeout(10):
            left = [event async for event in events]

    assert all(kind == "pulse" for kind, _, _ in left)


async def test_no_more_streams_than_a_collector_can_hold(
    li: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "AT_ONCE", 1)
    async with stream(li) as events:
        await anext(events)
        async with li.get("/events") as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
