"""A console over a real store, with incidents that the real casework opened; the other rooms stand still."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.hashes import SM3, Hash
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from collector import api, console, shipped
from collector.actions import Actions, build
from collector.actions.port import Surroundings
from collector.app.drilling import DrillReports, make_director
from collector.authority import ByHand, Upstream
from collector.authority.letter import letter_name
from collector.casework import Casework
from collector.classes import Classes, read_classes
from collector.desk import Desk, make_application
from collector.desk.world import Startable
from collector.documents import Documents, Printer, Renderer
from collector.escalation import read_policies
from collector.incident import Finding
from collector.intake import FORMATS, Intake
from collector.plans import Plan, examine
from collector.regimes import Regime, load_regimes
from collector.registry import Registry, read_registry
from collector.runs.people import act_on_run, complete_step
from collector.runs.runner import Runner
from collector.runs.starting import Starter
from collector.settings import Route
from collector.store import schema
from collector.store.drafts import add_attachment
from collector.store.engine import Store
from collector.store.evidence import Manifest, keep_chunk, keep_manifest
from collector.store.filings import add_filing, claim_filings, record_sent
from collector.store.orders import add_order, end_order
from collector.store.users import User, add_api_token, add_user
from collector.trust.tokens import digest, new_bearer
from collector.trust.users import hash_password
from tests.databases import new_state
from wire.ids import uuid7
from wire.messages import VERSION, Filing, Outcome

PASSWORD = "beacon-fire-at-dawn"
_HASH = hash_password(PASSWORD)
_CONFIGS = shipped.configs_dir()


class Clock:
    """A clock that stands at a time until it is moved; real time unless it is set."""

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at or datetime.now(UTC)  # noqa: TID251 - the clock a test hands in


def casework(registry: Registry) -> Casework:
    """The real casework under the shipped law and the shipped escalation chain."""
    policy = _CONFIGS / "escalation" / "default.yaml"
    policies = read_policies([(str(policy), policy.read_text("utf-8"))])
    return Casework(registry=lambda: registry, regimes=shipped_regimes, policy=lambda: policies["default"])


@cache
def shipped_regimes() -> tuple[Regime, ...]:
    return load_regimes(_CONFIGS / "regimes")


@cache
def shipped_classes() -> Classes:
    return read_classes((_CONFIGS / "classes.yaml").read_text("utf-8"), "classes.yaml")


@cache
def shipped_registry() -> Registry:
    return read_registry((_CONFIGS / "registry.yaml").read_text("utf-8"), "registry.yaml")


@cache
def shipped_plans() -> dict[str, Plan]:
    files = {path.stem: path for path in shipped.playbooks_dir().glob("*.yaml")}
    read = {name: examine(path.read_text("utf-8"), str(path), plans=files) for name, path in files.items()}
    return {name: each.plan for name, each in read.items() if each.plan}


def actions(registry: Registry) -> Actions:
    """The real actions of plans; a report is queued and stays in the queue, for nobody sends here."""

    async def file(
        conn: AsyncConnection,
        clock_id: str,
        actor: str,
        now: datetime,
        *,
        complete: bool,
        content: Mapping[str, Any],
    ) -> str:
        clocks = schema.clocks
        clock = (await conn.execute(sa.select(clocks).where(clocks.c.id == clock_id))).mappings().one()
        message = Filing(
            version=VERSION,
            key=f"{clock['incident']}/r",
            incident_id=clock["incident"],
            unit="district",
            obligation=clock["obligation"],
            recipient=clock["recipient"],
            level="IV",
            filed_at=now,
            due_at=clock["due_at"],
            complete=complete,
            incident={},
            content=dict(content),
        )
        identifier, _ = await add_filing(
            conn, message=message, clock=clock_id, way="upstream", actor=actor, now=now
        )
        return identifier

    return build(Surroundings(directory=lambda: registry, file=file))


class Room(Struct, frozen=True):
    """A running console with what a test reaches behind it."""

    desk: Desk
    store: Store
    server: TestServer
    clock: Clock
    casework: Casework
    folder: Path
    runner: Runner
    pulses: dict[str, Callable[[], datetime]]

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def token(self, role: str) -> str:
        """A bearer token of the API."""
        bearer, now = new_bearer(), self.clock()
        async with self.store.write() as conn:
            await add_api_token(conn, uuid7(now), digest(bearer), role, now)
        return bearer

    async def account(self, name: str, role: str, person: str | None = None) -> None:
        async with self.store.write() as conn:
            await add_user(
                conn,
                User(name=name, password_argon2=_HASH, role=role, person=person, created_at=self.clock()),
            )

    async def open(self, **changes: Any) -> str:  # noqa: ANN401 - columns and fields
        """An incident, as the pipeline would open it."""
        return await open_incident(self.store, self.casework, self.clock(), **changes)

    async def insert(self, table: sa.Table, *rows: Mapping[str, Any]) -> None:
        async with self.store.write() as conn:
            await conn.execute(sa.insert(table), list(rows))


async def open_incident(store: Store, work: Casework, now: datetime, **changes: Any) -> str:  # noqa: ANN401 - columns and fields
    finding = Finding(
        **{
            "fingerprint": f"tampering:{uuid7(now)}",
            "klass": "NAWEBMOD",
            "unit": "district",
            "asset": "district-portal",
            "first_seen": now - timedelta(minutes=4),
            "last_seen": now,
            "title": "首页被篡改：/var/www/html/index.html",
            "title_en": "Home page tampered with: /var/www/html/index.html",
            "source": "node:portal-1",
            "facts": {"homepage_tampered_since": (now - timedelta(minutes=4)).isoformat()},
            "times": {"occurred": now - timedelta(minutes=5), "detected": now - timedelta(minutes=4)},
            "evidence": (
                {
                    "path": "/var/www/html/index.html",
                    "change": "modified",
                    "sha256_before": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "sha256_after": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                    "process": "php-fpm8.2 (www-data)",
                },
            ),
            **changes,
        }
    )
    async with store.write() as conn:
        return await work.open(conn, finding, now, now)


@asynccontextmanager
async def watch_room(folder: Path, at: datetime | None = None, language: str = "en") -> AsyncIterator[Room]:
    """Run a console and an API on loopback over a new SQLite file."""
    registry, clock = shipped_registry(), Clock(at)
    store = await new_state(folder)
    work = casework(registry)
    runner = Runner(store, shipped_plans, actions(registry), clock)
    pulses: dict[str, Callable[[], datetime]] = {"clock": clock, "auditor": clock}
    documents = Documents(registry=lambda: registry, regimes=shipped_regimes, classes=shipped_classes)
    ways = {"informatization_authority": Route(way="upstream")}
    upstream = Upstream(
        store,
        state=folder,
        registry=lambda: registry,
        routes=lambda: ways,
        record_filing=work.record_filing,
        statement=documents.statement,
        clock=clock,
    )
    by_hand = ByHand(
        upstream,
        registry=lambda: registry,
        routes=lambda: ways,
        record_filing=work.record_filing,
        statement=documents.statement,
    )
    desk = Desk(
        store=store,
        clock=clock,
        registry=lambda: registry,
        move=work.move,
        confirm=work.confirm,
        correct=work.correct,
        complete_step=complete_step,
        act_on_run=act_on_run,
        start_run=Starter(shipped_plans).by_hand,
        start_by_warning=Starter(shipped_plans).by_warning,
        startable=lambda: [
            Startable(plan.id, plan.name.zh, plan.name.en) for plan in shipped_plans().values()
        ],
        filings=by_hand,
        make_document=Printer(store, documents, Renderer(str)).make,
        pulses=lambda: {name: beat() for name, beat in pulses.items()},
        counters=lambda: {"fengsui_reports_received_total": 7},
        unit="district",
        language=language,
        version="0.1.0",
        director=make_director(store, work, lambda: registry, language, clock),
        drill_report=DrillReports(store, Renderer(str), lambda: registry).make,
        take_alerts=Intake(
            store,
            open_incident=work.open,
            note_end=work.note,
            registry=lambda: registry,
            classes=shipped_classes,
            unit="district",
            formats=FORMATS,
        ).take,
    )
    server = TestServer(make_application(desk, [api.room(desk), console.room(desk)]))
    await server.start_server()
    try:
        yield Room(desk, store, server, clock, work, folder, runner, pulses)
    finally:
        await server.close()
        await store.close()


async def mailed(room: Room, incident: str) -> tuple[str, str]:
    """The first report of an incident, as one that a mail server has taken: its clock and the mail's id."""
    now, identity = room.clock(), "<0001@district.example>"
    async with room.store.write() as conn:
        report, *_ = await room.desk.filings.reports(conn, incident, now)
        message = Filing(
            version=VERSION,
            key=f"{incident}/{report.obligation}",
            incident_id=incident,
            unit="district",
            obligation=report.obligation,
            recipient=report.recipient,
            level="IV",
            filed_at=now,
            due_at=report.due_at,
            complete=True,
            incident={},
            content=report.statement.content(),
        )
        await add_filing(conn, message=message, clock=report.clock, way="mail", actor="system", now=now)
        (filing,) = await claim_filings(
            conn, owner="o", now=now, lease=timedelta(minutes=3), limit=1, way="mail"
        )
        await add_attachment(
            conn,
            incident,
            name=letter_name(filing.key),
            media_type="message/rfc822",
            body=f"Message-ID: {identity}\n\n".encode(),
            actor="system",
            now=now,
        )
        await record_sent(conn, filing, {"reply": "250 ok"}, filed_at=now, now=now)
    return report.clock, identity


def a_node(now: datetime, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - columns and fields
    return {
        "id": uuid7(now), "unit": "district", "kind": "agent", "state": "active", "host_name": "portal-1",
        "machine_id": "c0ffee", "assets": ["district-portal"], "certificate_serial": "1",
        "certificate_expires": now + timedelta(days=90),
        "enrolled_at": now - timedelta(days=3), "last_seen": now,
        "skew_seconds": 0.04, "agent_version": "0.1.0", "findings": [], **changes,
    }  # fmt: skip


async def with_orders(
    room: Room, node: str, now: datetime, why: str = "its deadline had passed before its turn came"
) -> str:
    """Orders of a node in every state, one answered by an evidence pack that is whole; returns its id."""
    content = b"{}"
    sm3 = Hash(SM3())
    sm3.update(content)
    order = ""
    async with room.store.write() as conn:
        for number, state in enumerate(("open", "refused", "failed", "expired", "done")):
            row = await add_order(
                conn,
                key=f"desk/{number}",
                node=node,
                incident=None,
                kind="collect_evidence",
                params={"items": ["sockets"]},
                deadline=now + timedelta(minutes=9),
                now=now,
                dry_run=number == 0,
            )
            order = row.id
            if state != "open":
                detail = {"files": 2} if state == "done" else {"why": why}
                outcome = Outcome(version=VERSION, order=row.id, state=state, at=now, detail=detail)  # type: ignore[arg-type]
                await end_order(conn, outcome, node, now)
        manifest = Manifest(
            order=order,
            name="evidence.json",
            size=2,
            sha256=sha256(content).hexdigest(),
            sm3=sm3.finalize().hex(),
            chunks=1,
        )
        await keep_manifest(conn, manifest, node=node, unit="district", now=now)
        await keep_chunk(conn, order, 0, content, node=node, now=now)
    return order


def an_exit(node: str, now: datetime, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - columns and fields
    return {
        "node": node, "key": "eth0|198.51.100.1", "unit": "district", "link": "eth0", "link_kind": "wired",
        "next_hop": "198.51.100.1", "addresses": ["198.51.100.20"], "verdict": "sanctioned",
        "sanctioned_by": "district-dmz-exit", "evidence": [], "first_seen": now - timedelta(days=3),
        "last_seen": now, **changes,
    }  # fmt: skip


def a_day(unit: str, on: str, now: datetime, **counts: int) -> dict[str, Any]:
    none = dict.fromkeys(("declared", "observed", "unsanctioned", "nodes", "outside", "behind"), 0)
    return {"unit": unit, "day": on, **none, "share": None, "counted_at": now, **counts}


def a_received(now: datetime, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    incident = uuid7(now)
    return {
        "key": f"{incident}/cn-informatization/report", "node": uuid7(now), "unit": "district",
        "incident": incident, "obligation": "cn-informatization/report", "level": "IV",
        "payload": {"unit": "district", "complete": False}, "received_at": now,
        "sha256": "ab" * 32, **changes,
    }  # fmt: skip
