"""HTTP as agents meet it on one connection."""

import asyncio
from email.utils import parsedate_to_datetime

import pytest

from collector.ingest import connection
from collector.ingest.answers import Reply
from collector.ingest.connection import render
from tests.collector.ingest.tower import Identity, Tower, batch

DATE = "Mon, 02 Mar 2026 04:00:00 GMT"


async def connect(tower: Tower, agent: Identity) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("localhost", tower.port, ssl=agent.context(tower.folder))


def post(body: bytes, *more: str) -> bytes:
    lines = ["POST /v1/batches HTTP/1.1", "Host: a", f"Content-Length: {len(body)}", *more, "", ""]
    return "\r\n".join(lines).encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    async with asyncio.timeout(5):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return int(first.split()[1]), headers, body


async def test_requests_sent_ahead_are_answered_in_their_order(tower: Tower) -> None:
    agent = await tower.enrol()
    reader, writer = await connect(tower, agent)
    writer.write(b"".join(post(batch(n, n)) for n in range(1, 31)))
    for n in range(1, 31):
        status, _, body = await answer(reader)
        assert status == 200
        assert b'"highest":%d,' % n in body
    writer.close()


async def test_a_body_in_pieces_is_one_body(tower: Tower) -> None:
    agent = await tower.enrol()
    reader, writer = await connect(tower, agent)
    whole = post(batch(1, 900))
    for start in range(0, len(whole), 20_000):
        writer.write(whole[start : start + 20_000])
        await writer.drain()
        await asyncio.sleep(0)
    assert (await answer(reader))[0] == 200
    writer.close()


async def test_a_sender_that_waits_to_be_asked_for_its_body_is_asked(tower: Tower) -> None:
    agent = await tower.enrol()
    reader, writer = await connect(tower, agent)
    whole = post(batch(1, 1), "Expect: 100-continue")
    head, _, body = whole.partition(b"\r\n\r\n")
    writer.write(head + b"\r\n\r\n")
    assert (await answer(reader))[0] == 100
    writer.write(body)
    assert (await answer(reader))[0] == 200
    writer.close()


async def test_a_connection_that_asks_to_be_closed_is_closed_after_its_answer(tower: Tower) -> None:
    agent = await tower.enrol()
    reader, writer = await connect(tower, agent)
    writer.write(post(batch(1, 1), "Connection: close"))
    status, headers, _ = await answer(reader)
    assert (status, headers["connection"]) == (200, "close")
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_an_upgrade_to_another_protocol_is_refused(tower: Tower) -> None:
    agent = await tower.enrol()
    reader, writer = await connect(tower, agent)
    writer.write(b"GET /v1/orders HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert (await answer(reader))[0] == 400
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_the_answer_tells_the_collectors_clock(tower: Tower) -> None:
    agent = await tower.enrol()
    reader, writer = await connect(tower, agent)
    writer.write(post(batch(1, 1)))
    _, headers, _ = await answer(reader)
    assert parsedate_to_datetime(headers["date"]) == tower.now.replace(microsecond=0)
    writer.close()


async def test_a_connection_that_asks_nothing_is_cut(tower: Tower, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_REQUEST_SECONDS", 0.1)
    agent = await tower.enrol()
    reader, writer = await connect(tower, agent)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    assert tower.tally.refused["silent"] == 1
    writer.close()


async def test_an_idle_connection_is_closed_in_time(tower: Tower, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "KEEPALIVE_SECONDS", 0.1)
    agent = await tower.enrol()
    reader, writer = await connect(tower, agent)
    writer.write(post(batch(1, 1)))
    assert (await answer(reader))[0] == 200
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_a_fault_of_ours_is_a_500_that_tells_nothing_of_it(
    tower: Tower, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await tower.enrol()
    monkeypatch.setattr(tower.listener, "_clock", lambda: 1 // 0)
    reader, writer = await connect(tower, agent)
    monkeypatch.setattr(tower.listener, "date", lambda: DATE)
    writer.write(post(batch(1, 1)))
    status, _, body = await answer(reader)
    assert status == 500
    assert b"ZeroDivision" not in body
    assert tower.tally.refused.pop("fault") == 1
    writer.close()


async def test_stopping_answers_what_is_in_work_and_closes_the_rest(tower: Tower) -> None:
    agent = await tower.enrol()
    reader, writer = await connect(tower, agent)
    writer.write(post(batch(1, 1)))
    await answer(reader)
    await tower.listener.stop(1.0)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    with pytest.raises(OSError, match=r"refused|Connect"):
        await connect(tower, agent)
    writer.close()


def test_an_answer_is_one_piece_of_bytes() -> None:
    assert render(Reply(200, b"{}"), DATE, close=False) == (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Date: Mon, 02 Mar 2026 04:00:00 GMT\r\nContent-Length: 2\r\n\r\n{}"
    )
    assert b"Content-Length" not in render(Reply(204, b""), DATE, close=False)
    full = render(Reply(507, b"{}", "application/problem+json", 30), DATE, close=True)
    assert b"Retry-After: 30\r\nConnection: close\r\n" in full
