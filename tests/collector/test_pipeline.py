"""From committed batches to rows: the real log, the real store, the real stages and casework."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.sources.rounds import matters
from collector.eventlog.port import EventLog
from collector.eventlog.postgres import PostgresLog
from collector.eventlog.sqlite import SqliteLog
from collector.pipeline import PATIENCE, Pipeline, _Overtaken
from collector.stages import Item, Stage, stages
from collector.stages.correlate import CONNECTION_PLAN
from collector.store import schema
from collector.store.engine import Store
from collector.store.nodes import NodeRow, add_node
from tests.browser.watch_room import casework, shipped_classes, shipped_registry
from tests.databases import new_state
from wire import codec
from wire.ids import uuid7
from wire.messages import VERSION, Batch, Report, ReportKind
from wire.session import Slice, Take

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
NODE = "019cac18-4e40-7000-8000-000000000001"
TAMPERED: dict[str, Any] = {
    "key": "files:/var/www",
    "class": "NAWEBMOD",
    "severity_hint": "high",
    "facts": {"homepage_tampered_since": "2026-03-02T03:59:58Z"},
    "target": "/var/www",
    "count": 1,
    "first_seen": "2026-03-02T03:59:58Z",
    "last_seen": "2026-03-02T03:59:59Z",
    "evidence": [{"path": "index.html", "change": "modified"}],
}
TWO_LEGS: dict[str, Any] = {
    "links": [
        {"name": "eth0", "kind": "wired", "state": "up", "addresses": [{"address": "10.20.0.9"}]},
        {"name": "veth1", "kind": "container", "state": "up", "addresses": [{"address": "10.200.0.2"}]},
    ],
    "routes": [
        {"family": 4, "destination": "0.0.0.0/0", "gateway": "10.20.0.1", "interface": "eth0"},
        {
            "family": 4,
            "destination": "0.0.0.0/0",
            "gateway": "10.200.0.1",
            "interface": "veth1",
            "metric": 50,
        },
    ],
}


class Desk:
    """A collector without listener: what is put into the log comes out as rows."""

    def __init__(self, log: EventLog, store: Store, extra: tuple[Stage, ...] = ()) -> None:
        self.log = log
        self.store = store
        self.sent = 0
        self.last_id = ""
        self.now = NOON
        registry, work = shipped_registry(), casework(shipped_registry())
        chain = stages(lambda: registry, shipped_classes, work.open, work.note)
        self.pipeline = Pipeline(log, store, (*extra, *chain), lambda: self.now)

    async def enrol(self, *assets: str, unit: str = "district") -> None:
        row = NodeRow(
            id=NODE,
            unit=unit,
            kind="agent",
            state="active",
            host_name="web-1",
            machine_id="",
            assets=list(assets),
            certificate_serial="1",
            certificate_expires=NOON + timedelta(days=30),
            enrolled_at=NOON,
        )
        async with self.store.write() as conn:
            await add_node(conn, row)

    async def say(
        self,
        kind: ReportKind,
        body: object,
        *,
        report: str = "",
        epoch: str = "e",
        source: str = "",
        observed_at: datetime | None = None,
    ) -> str:
        """Append a batch of one report, as `ingest` does."""
        identifier = report or uuid7(self.now)
        number = self.sent + 1
        said = Report(
            id=identifier,
            seq=number,
            kind=kind,
            source=source or kind,
            observed_at=observed_at or self.now,
            boot_id="b",
            monotonic=1.0,
            body=msgspec.Raw(msgspec.json.encode(body)),
        )
        batch = Batch(
            version=VERSION,
            epoch=epoch,
            after=self.sent,
            after_id=self.last_id,
            sent_at=self.now,
            reports=[said],
        )
        run = Slice(self.sent, self.last_id, (number,), (identifier,))
        assert isinstance(await self.log.append(NODE, epoch, run, codec.encode(batch), self.now), Take)
        self.sent, self.last_id = number, identifier
        return identifier

    def new_epoch(self) -> None:
        self.sent, self.last_id = 0, ""

    async def work(self) -> None:
        while await self.pipeline.step():
            pass

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(20):
            while True:
                seen = self.store.changed.count
                if await holds():
                    return
                await self.store.changed.wait(seen)

    async def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        async with self.store.read() as conn:
            found = await conn.execute(sa.select(table).order_by(*table.primary_key.columns))
            return [dict(row) for row in found.mappings()]


@pytest.fixture
async def make_desk(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    opened: list[tuple[SqliteLog, Store]] = []

    async def make(*extra: Stage) -> Desk:
        log = await SqliteLog.open(tmp_path / "events.db")
        store = await new_state(tmp_path)
        opened.append((log, store))
        return Desk(log, store, extra)

    yield make
    for log, store in opened:
        await log.close()
        await store.close()


@pytest.fixture
async def desk(make_desk: Callable[..., Any]) -> Desk:
    made: Desk = await make_desk()
    await made.enrol("district-portal")
    return made


async def test_a_tampering_becomes_a_graded_incident_with_a_running_clock(desk: Desk) -> None:
    await desk.say("incident", TAMPERED, source="files")
    await desk.work()

    (incident,) = await desk.rows(schema.incidents)
    assert (incident["class"], incident["unit"], incident["asset"]) == (
        "NAWEBMOD",
        "district",
        "district-portal",
    )
    assert incident["level"] == "IV"
    assert incident["title"] == "网页篡改：/var/www（示例区政府门户网站 web-1）"
    assert incident["times"]["aware"].startswith("2026-03-02T04:00:00")
    assert await desk.rows(schema.clocks)


async def test_the_same_trouble_attaches_to_the_incident_that_stands_for_it(desk: Desk) -> None:
    await desk.say("incident", TAMPERED)
    await desk.say("incident", TAMPERED | {"count": 3})
    await desk.work()

    (incident,) = await desk.rows(schema.incidents)
    assert incident["count"] == 2


async def test_a_text_that_no_database_keeps_hides_nothing(tmp_path: Path, state: Store) -> None:
    """Who chooses a name with a zero byte in it would else choose what is reported."""
    log = await SqliteLog.open(tmp_path / "events.db")
    desk = Desk(log, state)
    await desk.enrol("district-portal")
    hostile = TAMPERED | {"key": "files:\0", "target": "a\0b\\u0000", "evidence": [{"pa\0th": "\0\\\0"}]}
    await desk.say("incident", hostile, source="fi\0les", report="r\0")
    await desk.say("sockets", {"connections": [], "why": "\0"})
    await desk.say("heartbeat", {"version": "\0"})
    await desk.work()
    incidents, aside = await desk.rows(schema.incidents), await desk.rows(schema.quarantine)
    await log.close()

    assert aside == []
    assert "a\ufffdb\\u0000" in incidents[0]["title"]


async def test_a_report_sent_again_in_a_new_epoch_counts_once(desk: Desk) -> None:
    first = await desk.say("incident", TAMPERED)
    desk.new_epoch()
    await desk.say("incident", TAMPERED, report=first, epoch="f")
    await desk.work()

    (incident,) = await desk.rows(schema.incidents)
    assert incident["count"] == 1


async def test_what_is_over_is_told_to_the_incident_and_does_not_close_or_reopen_it(desk: Desk) -> None:
    await desk.say("incident", TAMPERED)
    await desk.work()
    (incident,) = await desk.rows(schema.incidents)
    over = {"restored": True, "facts": {"homepage_tampered_minutes": 1}}
    await desk.say("incident", TAMPERED | over)
    await desk.work()

    (after,) = await desk.rows(schema.incidents)
    assert after["state"] == incident["state"] == "open"
    assert after["facts"] == {"homepage_tampered_minutes": 1}
    assert after["evidence"][-1]["restored"] is True


async def test_a_second_default_route_over_a_veth_is_an_incident_in_one_pass(
    make_desk: Callable[..., Any],
) -> None:
    desk = await make_desk()
    await desk.enrol("district-oa")
    await desk.say("exits", TWO_LEGS)
    await desk.pipeline.step()

    verdicts = {row["key"]: row["verdict"] for row in await desk.rows(schema.exits)}
    assert verdicts == {"way/eth0/10.20.0.1/4": "sanctioned", "way/veth1/10.200.0.1/4": "available"}
    (incident,) = await desk.rows(schema.incidents)
    assert (incident["class"], incident["plan_hint"]) == ("SHECONFIG", CONNECTION_PLAN)
    assert "veth1" in incident["title"]


async def test_use_of_a_way_out_asks_for_the_plan_against_it(make_desk: Callable[..., Any]) -> None:
    desk = await make_desk()
    await desk.enrol("district-oa")
    await desk.say("exits", TWO_LEGS)
    await desk.say("sockets", {"connections": [{"local_address": "10.200.0.2", "remote_address": "9.9.9.9"}]})
    await desk.work()

    incidents = {row["class"]: row for row in await desk.rows(schema.incidents)}
    assert {klass: row["plan_hint"] for klass, row in incidents.items()} == {
        "SHECONFIG": CONNECTION_PLAN,
        "ROPNOUNAUTH": "illegal-external-connection",
    }
    assert incidents["SHECONFIG"]["evidence"][-1]["ended"] is True


async def test_a_way_out_that_is_gone_is_kept_as_gone_and_told(make_desk: Callable[..., Any]) -> None:
    desk = await make_desk()
    await desk.enrol("district-oa")
    await desk.say("exits", TWO_LEGS)
    await desk.say("exits", TWO_LEGS | {"routes": TWO_LEGS["routes"][:1]})
    await desk.work()

    rows = {row["key"]: row["gone_at"] for row in await desk.rows(schema.exits)}
    assert rows["way/eth0/10.20.0.1/4"] is None
    assert rows["way/veth1/10.200.0.1/4"] == NOON
    (incident,) = await desk.rows(schema.incidents)
    assert incident["evidence"][-1]["to"] == "gone"
    assert incident["state"] == "open"


async def test_a_declared_grade_is_a_finding_and_never_a_change(desk: Desk) -> None:
    declared = {"assets": [{"id": "district-portal", "mlps_grade": 2}, {"id": "nobody-knows"}]}
    await desk.say("asset", declared)
    await desk.say("asset", declared)
    await desk.work()

    (node,) = await desk.rows(schema.nodes)
    assert [finding["kind"] for finding in node["findings"]] == ["grade_differs", "unknown_asset"]
    assert node["findings"][0] == {
        "kind": "grade_differs",
        "asset": "district-portal",
        "declared": 2,
        "registered": 3,
    }
    told = [row for row in await desk.rows(schema.journal) if row["action"] == "node.fact"]
    assert len(told) == 2


async def test_nothing_is_kept_of_a_classified_system(make_desk: Callable[..., Any]) -> None:
    desk = await make_desk()
    await desk.enrol("district-classified")
    await desk.say("asset", {"host_name": "secret"})
    await desk.say("incident", TAMPERED)
    await desk.say("heartbeat", {"version": "1"})
    await desk.work()

    assert await desk.rows(schema.node_facts) == []
    assert await desk.rows(schema.incidents) == []
    (row,) = await desk.rows(schema.quarantine)
    assert row["body"] == b""


async def test_a_heartbeat_shows_a_node_alive_with_its_skew_and_version(desk: Desk) -> None:
    await desk.say("heartbeat", {"version": "0.1.0", "boot_id": "b"})
    await desk.work()

    (node,) = await desk.rows(schema.nodes)
    assert (node["last_seen"], node["skew_seconds"], node["agent_version"]) == (NOON, 0.0, "0.1.0")
    (fact,) = await desk.rows(schema.node_facts)
    assert fact["body"]["boot_id"] == "b"


async def test_a_host_ahead_of_time_cannot_date_its_trouble_into_the_future(desk: Desk) -> None:
    ahead = "2026-03-02T09:00:00Z"
    body = TAMPERED | {
        "first_seen": ahead,
        "last_seen": ahead,
        "facts": {"homepage_tampered_since": ahead, "page_tampered_since": "yesterday"},
    }
    await desk.say("incident", body, observed_at=NOON + timedelta(hours=5))
    await desk.work()

    (incident,) = await desk.rows(schema.incidents)
    assert incident["first_seen"] == NOON
    assert incident["facts"]["homepage_tampered_since"].startswith("2026-03-02T04:00:00")
    assert incident["times"]["occurred"].startswith("2026-03-02T04:00:00")


async def test_a_report_held_back_for_long_is_marked_late(desk: Desk) -> None:
    await desk.say("incident", TAMPERED, observed_at=NOON - timedelta(hours=1))
    await desk.work()

    (incident,) = await desk.rows(schema.incidents)
    assert incident["late"]


async def test_an_unknown_class_is_filed_under_other_and_not_lost(desk: Desk) -> None:
    await desk.say("incident", TAMPERED | {"class": "NEWTHING"})
    await desk.work()

    (incident,) = await desk.rows(schema.incidents)
    assert (incident["class"], incident["evidence"][0]["class"]) == ("OTH", "NEWTHING")


async def test_what_cannot_be_read_is_set_aside_with_its_place_and_the_rest_goes_on(desk: Desk) -> None:
    await desk.say("incident", {"class": 7})
    await desk.say("exits", {"links": [{"name": "e", "addresses": [{"address": "ten"}]}], "routes": []})
    await desk.say("incident", TAMPERED)
    run = Slice(desk.sent, desk.last_id, (desk.sent + 1,), ("x",))
    await desk.log.append(NODE, "e", run, b"{no json", NOON)
    await desk.work()

    rows = sorted(await desk.rows(schema.quarantine), key=lambda row: row["where"])
    assert [row["where"] for row in rows] == ["1/e/1", "2/e/2", "4"]
    assert "incident report of incident" in rows[0]["why"]
    assert "$.links[0].addresses[0]" in rows[1]["why"]
    assert rows[2]["body"] == b"{no json"
    assert len(await desk.rows(schema.incidents)) == 1
    assert desk.pipeline.counters.quarantined == 3


async def test_reports_of_a_node_that_is_not_enrolled_are_set_aside(make_desk: Callable[..., Any]) -> None:
    desk = await make_desk()
    await desk.say("incident", TAMPERED)
    await desk.work()

    (row,) = await desk.rows(schema.quarantine)
    assert "not enrolled" in row["why"]


class Breaks:
    """A stage with a fault of ours: it fails on one report after having written."""

    name = "breaks"

    def __init__(self) -> None:
        self.tries = 0

    async def apply(self, conn: AsyncConnection, item: Item) -> Item | None:
        if item.source == "poison":
            self.tries += 1
            await conn.execute(schema.cursors.insert().values(name="half", position=1))
            raise ZeroDivisionError("a fault of ours")
        return item


async def test_a_poisoned_report_is_set_aside_loudly_and_stops_nothing(
    make_desk: Callable[..., Any],
) -> None:
    breaks = Breaks()
    desk = await make_desk(breaks)
    await desk.enrol("district-portal")
    await desk.say("incident", TAMPERED | {"key": "a"}, source="poison")
    await desk.say("incident", TAMPERED | {"key": "b"})
    running = asyncio.get_running_loop().create_task(desk.pipeline.run())

    async def opened() -> bool:
        return bool(await desk.rows(schema.incidents))

    await desk.until(opened)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert breaks.tries == PATIENCE
    (row,) = await desk.rows(schema.quarantine)
    assert "fault of the program" in row["why"]
    assert next(entry["action"] for entry in await desk.rows(schema.journal)) == "audit.finding"
    assert [row["name"] for row in await desk.rows(schema.cursors)] == ["pipeline"]


async def test_the_loop_goes_on_from_its_cursor_and_wakes_on_an_append(desk: Desk) -> None:
    await desk.say("incident", TAMPERED)
    await desk.work()
    again = Pipeline(desk.log, desk.store, desk.pipeline._stages, lambda: desk.now)
    running = asyncio.get_running_loop().create_task(again.run())
    seen = desk.store.changed.count
    await desk.say("incident", TAMPERED)
    async with asyncio.timeout(10):
        await desk.store.changed.wait(seen)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    (incident,) = await desk.rows(schema.incidents)
    assert incident["count"] == 2
    assert again.counters.reports == 1


async def test_heartbeats_gather_into_one_commit_and_an_incident_among_them_does_not_wait(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.pipeline.HEARTBEAT_WAIT", 3600.0)
    running = asyncio.get_running_loop().create_task(desk.pipeline.run())
    commits = desk.store.changed.count
    for _ in range(3):
        await desk.say("heartbeat", {"version": "1"})
    await desk.say("incident", TAMPERED)

    async def opened() -> bool:
        return bool(await desk.rows(schema.incidents))

    await desk.until(opened)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert desk.store.changed.count == commits + 1
    assert desk.pipeline.counters.reports == 4


async def test_heartbeats_alone_are_written_when_their_wait_is_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.pipeline.HEARTBEAT_WAIT", 0.05)
    running = asyncio.get_running_loop().create_task(desk.pipeline.run())
    await desk.say("heartbeat", {"version": "1"})

    async def seen() -> bool:
        return (await desk.rows(schema.nodes))[0]["last_seen"] is not None

    await desk.until(seen)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_second_process_that_was_overtaken_does_nothing_twice(desk: Desk) -> None:
    other = Pipeline(desk.log, desk.store, desk.pipeline._stages, lambda: desk.now)
    await desk.say("incident", TAMPERED)
    await desk.work()
    with pytest.raises(_Overtaken):
        await other.step()

    assert await other.step() == 0
    (incident,) = await desk.rows(schema.incidents)
    assert incident["count"] == 1


def fail(name: str, error: BaseException) -> None:
    raise AssertionError(f"task {name} died") from error


async def test_two_collectors_on_one_postgresql_count_every_report_once(
    postgres_server: Any,  # noqa: ANN401 - the wheel's class is not exported
    postgres_state_url: str,
) -> None:
    postgres_server.psql("CREATE DATABASE events_of_two")
    events = postgres_server.get_uri(database="events_of_two")
    url = postgres_state_url
    desks = [Desk(await PostgresLog.open(events, fail), await Store.open(url)) for _ in range(2)]
    first = desks[0]
    await first.enrol("district-portal")
    running = [asyncio.get_running_loop().create_task(desk.pipeline.run()) for desk in desks]
    for number in range(40):
        await first.say("incident", TAMPERED | {"key": f"k{number % 4}"})

    async def counted() -> bool:
        return sum(row["count"] for row in await first.rows(schema.incidents)) >= 40

    async with asyncio.timeout(30):
        while not await counted():
            await asyncio.wait(running, timeout=0.05)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    rows = await first.rows(schema.incidents)
    for desk in desks:
        await desk.log.close()
        await desk.store.close()
    postgres_server.psql("DROP DATABASE events_of_two WITH (FORCE)")

    assert sorted(row["count"] for row in rows) == [10, 10, 10, 10]
    assert sum(desk.pipeline.counters.reports for desk in desks) == 40
    assert sum(desk.pipeline.counters.retries for desk in desks) == 0


async def test_a_log_older_than_the_state_is_noticed_and_its_new_reports_are_read(
    desk: Desk, tmp_path: Path
) -> None:
    for _ in range(3):
        await desk.say("incident", TAMPERED)
    await desk.work()
    older = await SqliteLog.open(tmp_path / "restored.db")
    fresh = Desk(older, desk.store)
    running = asyncio.get_running_loop().create_task(fresh.pipeline.run())

    async def reset() -> bool:
        return [row["position"] for row in await desk.rows(schema.cursors)] == [0]

    async def attached() -> bool:
        return (await desk.rows(schema.incidents))[0]["count"] == 4

    await desk.until(reset)
    await fresh.say("incident", TAMPERED)
    await desk.until(attached)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await older.close()

    assert "older than the state" in [row["detail"].get("why") for row in await desk.rows(schema.journal)][-1]


FOUND_BY_THE_NODE = (
    ("NABACKDOOR", "processes:shell:203.0.113.9", "/usr/bin/bash", "后门利用", "use of a backdoor"),
    ("NAHACKED", "processes:unnamed:/memfd:x", "/memfd:x", "失陷主机", "compromised host"),
    ("MPMINER", "processes:miner:/tmp/k", "/tmp/k", "挖矿病毒", "cryptomining malware"),
    ("NABACKIMPL", "persistence:keys", "/root/.ssh/authorized_keys", "后门植入", "implanting a backdoor"),
    ("ROPABUSE", "privileges:power", "toor", "权限滥用", "abuse of privilege"),
    ("ROPDENY", "logs:/var/log/wtmp", "/var/log/wtmp", "行为抵赖", "repudiation"),
    ("NALINK", "files:links:/var/www", "/var/www", "暗链植入", "hidden link implanted"),
    ("SHECONFIG", "backups:portal", "portal", "网络配置合规缺陷", "non-compliant network configuration"),
    ("DETECH", "sensors:logins", "logins", "技术故障", "technical failure"),
)


async def test_what_a_node_finds_in_itself_is_one_incident_each_in_both_languages_until_it_is_over(
    make_desk: Callable[..., Any],
) -> None:
    """Each begins, is told again after six and twelve hours, and ends."""
    desk = await make_desk()
    await desk.enrol("portal")
    found = matters.Found(
        [
            matters.Finding(
                key=key, klass=klass, severity_hint="high", target=target, evidence=[{"path": target}]
            )
            for klass, key, target, _, _ in FOUND_BY_THE_NODE
        ]
    )
    known: dict[str, matters.Matter] = {}
    for hours, there in ((0, found), (6, found), (12, found), (13, matters.Found([]))):
        known, told = matters.proceed(known, there, NOON + timedelta(hours=hours))
        assert len(told) == len(FOUND_BY_THE_NODE)
        for body in told:
            await desk.say("incident", body)
    await desk.work()

    incidents = {row["fingerprint"].partition("/")[2]: row for row in await desk.rows(schema.incidents)}
    assert len(incidents) == len(FOUND_BY_THE_NODE)
    for klass, key, target, zh, en in FOUND_BY_THE_NODE:
        incident = incidents[f"{klass}/{key}"]
        assert (incident["class"], incident["level"], incident["state"]) == (klass, "IV", "open")
        assert incident["title"].startswith(f"{zh}：{target}")
        assert incident["title_en"].startswith(f"{en}: {target}")
        assert incident["evidence"][-1]["restored"] is True
        assert incident["evidence"][0]["items"] == [{"path": target}]


async def test_an_outage_of_the_portal_grows_graver_by_its_own_time_and_ends_with_its_minutes(
    make_desk: Callable[..., Any],
) -> None:
    """One report at its beginning is enough: the grade rises because time passes."""
    desk = await make_desk()
    await desk.enrol("portal")
    down = matters.Finding(
        key="outages:portal",
        klass="DETECH",
        severity_hint="high",
        lasting="portal_down",
        first_seen=NOON - timedelta(minutes=40),
    )
    known, begun = matters.proceed({}, matters.Found([down]), NOON)
    await desk.say("incident", begun[0])
    await desk.work()
    (incident,) = await desk.rows(schema.incidents)
    assert incident["facts"] == {"portal_down_since": "2026-03-02T03:20:00Z"}
    _, over = matters.proceed(known, matters.Found([]), NOON + timedelta(minutes=50))
    await desk.say("incident", over[0])
    await desk.work()
    (after,) = await desk.rows(schema.incidents)

    assert after["facts"] == {"portal_down_minutes": 90}
    assert after["evidence"][-1]["restored"] is True
