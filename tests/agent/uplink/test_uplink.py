from __future__ import annotations

import asyncio
import sqlite3
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec
import pytest
from aiohttp import web

from agent.outbox import Bounds, Entry, Outbox, OutboxFullError
from agent.tasks import Tasks
from agent.transport import Reply, Transport, UnreachableError
from agent.uplink import Uplink
from wire.codec import unpack
from wire.messages import Batch, Refusal, ReportKind
from wire.session import Held

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent.clock import Clock
    from agent.enrolment import Identity
    from tests.agent.conftest import FarSide

pytestmark = pytest.mark.usefixtures("uplink")
ACK = b'{"version":1,"epoch":"EPOCH","highest":%d,"highest_id":"x","received_at":"2026-03-02T09:00:00Z"}'


class Waits:
    """Stands for time between two tries: hands out the waits asked for and passes over them."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
async def outbox(tmp_path: Path, clock: Clock) -> AsyncIterator[Outbox]:
    folder = tmp_path / "state"
    folder.mkdir(exist_ok=True)
    made = Outbox(folder, clock, Bounds(min_free_bytes=0))
    yield made
    made.close()


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def uplink(
    far_side: FarSide, identity: Identity, outbox: Outbox, clock: Clock, waits: Waits
) -> AsyncIterator[Uplink]:
    transport = Transport([far_side.url], identity.tls(), clock.now)
    made = Uplink(transport, outbox, lambda: 0.5, "en", sleep=waits.sleep)
    async with Tasks() as tasks:
        tasks.spawn("uplink", made.run())
        yield made
    await transport.close()


async def put(outbox: Outbox, clock: Clock, *notes: str, kind: ReportKind = "incident") -> list[str]:
    return [await outbox.accept(Entry(kind, "test", clock.now(), {"note": note})) for note in notes]


async def drained(outbox: Outbox) -> None:
    async with asyncio.timeout(10):
        await outbox.drained()


def notes(far_side: FarSide) -> list[str]:
    return [
        msgspec.json.decode(bytes(report.body))["note"]
        for report in far_side.reports
        if report.kind == "incident"
    ]


async def test_what_is_accepted_arrives_once_in_its_order_and_leaves_the_disk(
    far_side: FarSide, outbox: Outbox, clock: Clock
) -> None:
    ids = await put(outbox, clock, *map(str, range(50)))

    await drained(outbox)

    assert [report.id for report in far_side.reports] == ids


async def test_an_idle_uplink_sends_a_report_within_50_milliseconds_of_its_acceptance(
    far_side: FarSide, outbox: Outbox, clock: Clock
) -> None:
    await put(outbox, clock, "warm")
    await drained(outbox)
    took = []
    for number in range(20):
        begun = perf_counter()
        await put(outbox, clock, str(number))
        await far_side.until(lambda number=number: len(far_side.reports) == number + 2)
        took.append(perf_counter() - begun)

    assert sorted(took)[10] < 0.05


async def test_a_large_batch_is_compressed_and_a_connection_is_kept(
    far_side: FarSide, outbox: Outbox, clock: Clock
) -> None:
    await put(outbox, clock, "x" * 5000)
    await drained(outbox)
    await put(outbox, clock, "small")
    await drained(outbox)

    assert far_side.encodings == ["zstd", ""]


async def test_a_collector_without_zstandard_gets_gzip_at_once_and_from_then_on(
    far_side: FarSide, outbox: Outbox, clock: Clock
) -> None:
    refused = 0

    async def knows_no_zstd(request: web.Request) -> web.StreamResponse | None:
        nonlocal refused
        await request.read()
        if request.headers.get("Content-Encoding") != "zstd":
            return None
        refused += 1
        return web.json_response({"type": "urn:fengsui:problem:encoding"}, status=415)

    far_side.behave["/v1/batches"] = knows_no_zstd
    for _ in range(2):
        await put(outbox, clock, "x" * 5000)
        await drained(outbox)

    assert refused == 1
    assert far_side.encodings == ["gzip", "gzip"]


async def test_a_lost_acknowledgement_stores_nothing_twice(
    far_side: FarSide, outbox: Outbox, clock: Clock
) -> None:
    lost = 0

    async def lose(request: web.Request) -> web.StreamResponse | None:
        nonlocal lost
        if lost == 3:
            return None
        lost += 1
        await far_side.batches(request)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    far_side.behave["/v1/batches"] = lose
    ids = await put(outbox, clock, "a", "b", "c")

    await drained(outbox)

    assert lost == 3
    assert [report.id for report in far_side.reports] == ids


async def test_a_collector_restored_from_a_backup_gets_everything_it_can_still_have(
    far_side: FarSide, outbox: Outbox, clock: Clock
) -> None:
    await put(outbox, clock, "a")
    await drained(outbox)
    backup = dict(far_side.held)
    await put(outbox, clock, "b")
    await drained(outbox)
    far_side.held = backup

    await put(outbox, clock, "c")
    await drained(outbox)

    assert notes(far_side) == ["a", "b", "c"]
    assert (await outbox.status()).forks == 0


async def test_another_writer_in_our_epoch_loses_nothing_of_ours(
    far_side: FarSide, outbox: Outbox, clock: Clock
) -> None:
    await put(outbox, clock, "a")
    await drained(outbox)
    ((epoch, held),) = far_side.held.items()
    far_side.held[epoch] = Held(held.highest + 1, "the clone's")

    await put(outbox, clock, "b", "c")
    await drained(outbox)

    assert notes(far_side) == ["a", "b", "c"]
    assert (await outbox.status()).forks == 1


async def test_the_one_report_that_cannot_be_taken_is_set_aside_and_all_others_arrive(
    far_side: FarSide, outbox: Outbox, clock: Clock
) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse | None:
        plain = unpack(await request.read(), request.headers.get("Content-Encoding", ""))
        if any(b"poison" in bytes(report.body) for report in msgspec.json.decode(plain, type=Batch).reports):
            return web.json_response({"detail": "no"}, status=400)
        return None

    far_side.behave["/v1/batches"] = refuse
    await asyncio.gather(*(put(outbox, clock, note) for note in ["a", "b", "poison", "c", "d", "e", "f"]))

    await drained(outbox)

    assert sorted(notes(far_side)) == list("abcdef")
    gap = next(report for report in far_side.reports if report.kind == "gap")
    assert msgspec.json.decode(bytes(gap.body))["kind"] == "incident"
    kept = outbox._db.execute("SELECT body FROM refused").fetchall()
    assert kept == [(b'{"note":"poison"}',)]


async def test_a_batch_that_is_too_large_is_halved_until_it_fits(
    far_side: FarSide, outbox: Outbox, clock: Clock
) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse | None:
        plain = unpack(await request.read(), request.headers.get("Content-Encoding", ""))
        if len(plain) > 5000:
            return web.Response(status=413)
        return None

    far_side.behave["/v1/batches"] = refuse
    await asyncio.gather(*(put(outbox, clock, "x" * 1000) for _ in range(20)))

    await drained(outbox)

    assert len(far_side.reports) == 20
    assert (await outbox.status()).refused == 0


@pytest.mark.parametrize(
    ("status", "retry_after", "least"),
    [(503, "7", 7), (507, "30", 30), (429, "2", 2), (403, None, 1), (426, None, 1)],
)
async def test_a_collector_that_takes_nothing_is_left_alone_as_long_as_it_asks_and_nothing_is_lost(
    *,
    far_side: FarSide,
    outbox: Outbox,
    clock: Clock,
    waits: Waits,
    status: int,
    retry_after: str | None,
    least: float,
) -> None:
    answers = iter([status] * 3)

    async def refuse(request: web.Request) -> web.StreamResponse | None:
        await request.read()
        for answer in answers:
            return web.Response(status=answer, headers={"Retry-After": retry_after} if retry_after else None)
        return None

    far_side.behave["/v1/batches"] = refuse
    ids = await put(outbox, clock, "a", "b")

    await drained(outbox)

    assert [report.id for report in far_side.reports] == ids
    assert len(waits.asked) == 3
    assert min(waits.asked) >= least


async def test_an_answer_that_makes_no_sense_is_not_believed(
    far_side: FarSide, outbox: Outbox, clock: Clock, waits: Waits
) -> None:
    strange = (
        (200, b"<html>"),
        (409, b"{}"),
        (200, b"[" * 100_000),
        (200, ACK % 2**64),
        (409, b'{"version":1,"reason":"gap","epoch":"EPOCH","highest":-1,"highest_id":"x"}'),
    )
    answers = iter(strange)

    async def babble(request: web.Request) -> web.StreamResponse | None:
        sent = unpack(await request.read(), request.headers.get("Content-Encoding", ""))
        for status, body in answers:
            epoch = msgspec.json.decode(sent)["epoch"].encode()
            return web.Response(status=status, body=body.replace(b"EPOCH", epoch))
        return None

    far_side.behave["/v1/batches"] = babble
    ids = await put(outbox, clock, "a")

    await drained(outbox)

    assert [report.id for report in far_side.reports] == ids
    assert len(waits.asked) == len(strange)


async def test_a_refusal_that_would_change_nothing_is_waited_out(
    far_side: FarSide, outbox: Outbox, clock: Clock, waits: Waits
) -> None:
    answers = 2

    async def refuse(request: web.Request) -> web.StreamResponse | None:
        nonlocal answers
        plain = unpack(await request.read(), request.headers.get("Content-Encoding", ""))
        if not answers:
            return None
        answers -= 1
        epoch = msgspec.json.decode(plain, type=Batch).epoch
        refusal = Refusal(version=1, reason="gap", epoch=epoch, highest=0, highest_id="")
        return web.Response(status=409, body=msgspec.json.encode(refusal))

    far_side.behave["/v1/batches"] = refuse
    await put(outbox, clock, "a")

    await drained(outbox)

    assert len(far_side.reports) == 1
    assert len(waits.asked) == 2


async def test_while_the_disk_cannot_be_written_nothing_is_sent_and_nothing_is_lost(
    far_side: FarSide, outbox: Outbox, clock: Clock, waits: Waits, tmp_path: Path
) -> None:
    await put(outbox, clock, "warm")
    await drained(outbox)
    outbox._db.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(tmp_path / "state/outbox.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OutboxFullError, match="locked"):
        await put(outbox, clock, "held")
    outbox.news.set()
    async with asyncio.timeout(10):
        while not waits.asked:  # noqa: ASYNC110 - the uplink's wait is what is awaited
            await asyncio.sleep(0.01)

    other.execute("ROLLBACK")
    other.close()
    await put(outbox, clock, "held")
    await drained(outbox)

    assert notes(far_side) == ["warm", "held"]


async def test_why_a_collector_takes_nothing_is_said_in_its_own_words(
    far_side: FarSide, outbox: Outbox, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    answers = iter([{"title": "Forbidden", "detail": "node n is revoked"}])

    async def refuse(request: web.Request) -> web.StreamResponse | None:
        await request.read()
        problem = next(answers, None)
        return web.json_response(problem, status=403) if problem else None

    far_side.behave["/v1/batches"] = refuse
    await put(outbox, clock, "a")

    await drained(outbox)

    assert "status 403 node n is revoked" in caplog.text


async def test_a_cloned_key_is_exchanged_when_the_collector_says_so(
    far_side: FarSide, uplink: Uplink, outbox: Outbox, clock: Clock
) -> None:
    rekeyed: list[bool] = []
    uplink._rekey = lambda: rekeyed.append(True)
    answers = iter([{"type": "urn:fengsui:problem:rekey"}, {"type": "urn:fengsui:problem:revoked"}])

    async def refuse(request: web.Request) -> web.StreamResponse | None:
        await request.read()
        problem = next(answers, None)
        return web.json_response(problem, status=403) if problem else None

    far_side.behave["/v1/batches"] = refuse
    await put(outbox, clock, "a")
    await drained(outbox)

    assert rekeyed == [True]


async def test_other_authorities_in_an_acknowledgement_ask_for_a_renewal(
    far_side: FarSide, uplink: Uplink, outbox: Outbox, clock: Clock
) -> None:
    renewals: list[bool] = []
    uplink._rekey = lambda: renewals.append(True)
    uplink._authorities = "old"
    far_side.trusted = "old"
    await put(outbox, clock, "a")
    await drained(outbox)
    assert renewals == []

    far_side.trusted = "new"
    await put(outbox, clock, "b")
    await drained(outbox)

    assert renewals == [True]


async def test_a_node_whose_certificate_ended_while_it_was_off_says_so_where_collectors_say_nothing(
    outbox: Outbox, clock: Clock, waits: Waits, caplog: pytest.LogCaptureFixture
) -> None:
    end = clock.now()

    class Cut:
        """TLS 1.3 ends such a line after the first bytes: the other side reads of a reset."""

        async def request(self, *_: object) -> Reply:
            raise UnreachableError("https://collector:8443: [Errno 104] Connection reset by peer")

    made = Uplink(Cut(), outbox, lambda: 0.5, "en", ended=lambda: end, sleep=waits.sleep)
    await put(outbox, clock, "a")
    async with Tasks() as tasks, asyncio.timeout(10):
        tasks.spawn("uplink", made.run())
        while not waits.asked:  # noqa: ASYNC110 - a list, no event
            await asyncio.sleep(0)

    assert f"the node's certificate ended on {end:%Y-%m-%d}" in caplog.text
    assert "fengsui-agent enrol --again" in caplog.text
    assert "Connection reset by peer" in caplog.text
