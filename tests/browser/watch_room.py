"""A console over a real store, with incidents that the real casework opened; the other rooms stand still."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from aiohttp.test_utils import TestServer
from msgspec import Struct, to_builtins
from sqlalchemy.ext.asyncio import AsyncConnection

from collector import api, console, shipped
from collector.casework import Casework
from collector.desk import Desk, make_application
from collector.errors import PermanentError
from collector.escalation import read_policies
from collector.incident import Finding
from collector.plans import Plan, examine
from collector.regimes import load_regimes
from collector.registry import Registry, read_registry
from collector.store import schema
from collector.store.engine import Store
from collector.store.users import User, add_api_token, add_user
from collector.trust.tokens import digest, new_bearer
from collector.trust.users import hash_password
from wire.ids import uuid7

PASSWORD = "beacon-fire-at-dawn"
_HASH = hash_password(PASSWORD)
_CONFIGS = shipped.configs_dir()


class Clock:
    """A clock that stands at a time until it is moved; real time unless it is set."""

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at or datetime.now(UTC)  # noqa: DTZ005, TID251 - the clock a test hands in


def casework(registry: Registry) -> Casework:
    """The real casework under the shipped law and the shipped escalation chain."""
    policy = _CONFIGS / "escalation" / "default.yaml"
    policies = read_policies([(str(policy), policy.read_text("utf-8"))])
    regimes = load_regimes(_CONFIGS / "regimes")
    return Casework(registry=lambda: registry, regimes=lambda: regimes, policy=lambda: policies["default"])


def shipped_registry() -> Registry:
    return read_registry((_CONFIGS / "registry.yaml").read_text("utf-8"), "registry.yaml")


def shipped_plan(name: str) -> Plan:
    path = shipped.playbooks_dir() / f"{name}.yaml"
    examined = examine(path.read_text("utf-8"), str(path), plans={name: path})
    assert examined.plan, examined.errors
    return examined.plan


class Room(Struct, frozen=True):
    """A running console with what a test reaches behind it."""

    desk: Desk
    store: Store
    server: TestServer
    clock: Clock
    casework: Casework
    folder: Path
    completed: list[tuple[str, str, str, dict[str, Any]]]

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

    async def open(self, **changes: Any) -> str:
        """An incident, as the pipeline would open it."""
        return await open_incident(self.store, self.casework, self.clock(), **changes)

    async def insert(self, table: sa.Table, *rows: Mapping[str, Any]) -> None:
        async with self.store.write() as conn:
            await conn.execute(sa.insert(table), list(rows))


async def open_incident(store: Store, work: Casework, now: datetime, **changes: Any) -> str:
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
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'state.db'}")
    work = casework(registry)
    completed: list[tuple[str, str, str, dict[str, Any]]] = []

    async def complete_step(  # noqa: PLR0917 - as runs takes it
        conn: AsyncConnection, run: str, step: str, actor: str, out: dict[str, Any], now: datetime
    ) -> None:
        del conn, now
        if step == "tell-duty":
            raise PermanentError(f"step {step} does not wait for a person")
        completed.append((run, step, actor, out))

    desk = Desk(
        store=store,
        clock=clock,
        registry=lambda: registry,
        move=work.move,
        complete_step=complete_step,
        pulses=lambda: {"clock": clock() - timedelta(seconds=1), "auditor": clock() - timedelta(seconds=3)},
        counters=lambda: {"fengsui_reports_received_total": 7},
        unit="district",
        language=language,
        version="0.1.0",
    )
    server = TestServer(make_application(desk, [api.room(desk), console.room(desk)]))
    await server.start_server()
    try:
        yield Room(desk, store, server, clock, work, folder, completed)
    finally:
        await server.close()
        await store.close()


def plan_run(
    incident: str, now: datetime, plan: str = "page-tampering"
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Rows of a run that has notified, keeps evidence, and waits for a person."""
    body, run = to_builtins(shipped_plan(plan)), uuid7(now)
    head = {
        "id": run, "incident": incident, "plan": plan, "plan_sha256": "0" * 64, "plan_body": body,
        "state": "running", "variables": {}, "drill": False, "started_at": now, "progress_at": now,
    }  # fmt: skip
    steps = [
        ("tell-duty", "notify", "done", "duty", 0),
        ("keep-evidence", "order_agent", "done", "duty", 1),
        ("static-notice", "manual", "waiting", "webmaster", 1),
        ("report", "file_report", "done", "duty", 1),
        ("receipt", "wait", "done", "duty", 2),
    ]
    rows = [
        {
            "run": run, "step": step, "visit": 1, "parent": "", "kind": kind, "state": state, "owner_role": role,
            "ready_at": now + timedelta(seconds=after), "fence": 0,
            "ended_at": now + timedelta(seconds=after + 1) if state == "done" else None,
            "deadline": now + timedelta(minutes=30) if state == "waiting" else None,
        }
        for step, kind, state, role, after in steps
    ]  # fmt: skip
    return head, rows


def a_node(now: datetime, **changes: Any) -> dict[str, Any]:
    return {
        "id": uuid7(now), "unit": "district", "kind": "agent", "state": "active", "host_name": "portal-1",
        "machine_id": "c0ffee", "assets": ["district-portal"], "certificate_serial": "1",
        "certificate_expires": now + timedelta(days=90), "enrolled_at": now - timedelta(days=3), "last_seen": now,
        "skew_seconds": 0.04, "agent_version": "0.1.0", "findings": [], **changes,
    }  # fmt: skip


def an_exit(node: str, now: datetime, **changes: Any) -> dict[str, Any]:
    return {
        "node": node, "key": "eth0|198.51.100.1", "unit": "district", "link": "eth0", "link_kind": "wired",
        "next_hop": "198.51.100.1", "addresses": ["198.51.100.20"], "verdict": "sanctioned",
        "sanctioned_by": "district-dmz-exit", "evidence": [], "first_seen": now - timedelta(days=3),
        "last_seen": now, **changes,
    }  # fmt: skip
