"""A county's incident, told in every detail, and the same as rows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from collector.documents.material import Material, Measure
from collector.registry import read_registry
from collector.statement import Words
from collector.store.clocks import Clock
from collector.store.incidents import Incident
from collector.store.journal import Row

if TYPE_CHECKING:
    from collector.registry import Registry

ROOT = Path(__file__).parents[3]
NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
SINCE = NINE.isoformat()


def told(number: int, action: str, detail: dict[str, Any], actor: str = "system", after: int = 0) -> Row:
    return Row(
        id=number,
        chain="c",
        n=number,
        at=NINE + timedelta(minutes=after),
        actor=actor,
        action=action,
        subject="incident:i",
        incident="i",
        detail=detail,
        previous="",
        hash=f"{number:064x}",
    )


def incident(**changes: Any) -> Incident:  # noqa: ANN401 - the fields of an incident
    values: dict[str, Any] = {
        "id": "019cac18-4e40-7000-8000-000000000000",
        "fingerprint": "node-1/NAWEBMOD/files:/srv/www",
        "unit": "county",
        "asset": "portal",
        "node": "node-1",
        "klass": "NAWEBMOD",
        "level": "III",
        "level_by": "cn-cac-2025",
        "reasons": [
            {"criterion": "views.III", "text": "浏览一万次以上", "source": "annex, 较大", "verified": False}
        ],
        "next_level": {"level": "II", "at": "2026-03-02T03:00:00Z", "criterion": "homepage_tampered.II"},
        "state": "open",
        "acknowledged_by": None,
        "title": "门户网站首页被篡改",
        "title_en": "home page of the portal tampered with",
        "facts": {"homepage_tampered_since": SINCE, "views": 12000},
        "times": {"occurred": SINCE, "detected": SINCE, "aware": SINCE},
        "evidence": [
            {
                "report": "r-1",
                "received_at": SINCE,
                "facts": {"homepage_tampered_since": SINCE},
                "source_address": "203.0.113.9",
                "items": [{"process": "php-fpm", "user": "www-data"}],
            }
        ],
        "count": 2,
        "first_seen": NINE,
        "last_seen": NINE,
        "opened_at": NINE,
        "updated_at": NINE,
        "closed_at": None,
        "late": False,
        "plan_hint": None,
        "plan_pending": False,
        "drill": False,
        "version": 1,
    }
    return Incident(**values | changes)


def clock(obligation: str = "cn-cac-2025/first", **changes: Any) -> Clock:  # noqa: ANN401 - its fields
    regime, stage = obligation.split("/")[:2]
    values: dict[str, Any] = {
        "id": "k",
        "incident": "019cac18-4e40-7000-8000-000000000000",
        "obligation": obligation,
        "regime": regime,
        "stage": stage,
        "recipient": "provincial_cac",
        "anchor": "aware",
        "anchor_at": NINE,
        "due_at": NINE + timedelta(hours=4),
        "target_at": None,
        "state": "open",
        "missing": None,
        "content": ["一", "二"],
        "source": "Art. 4",
        "verified": True,
        "generation": 1,
        "opened_at": NINE,
        "met_at": None,
        "met_by": None,
    }
    return Clock(**values | changes)


def material(registry: "Registry", **changes: Any) -> Material:  # noqa: ANN401 - the fields of the material
    row = changes.pop("incident", incident())
    values: dict[str, Any] = {
        "incident": row,
        "unit": registry.unit(row.unit),
        "asset": registry.asset(row.asset),
        "operator": None,
        "contact": registry.person("wang"),
        "kind": Words("网页篡改", "web page tampering"),
        "criteria": {"views.III": Words("浏览、点击10000次以上", "10000 views or clicks")},
        "host": "web-1",
        "clocks": (clock(),),
        "filings": (),
        "journal": (
            told(1, "incident.opened", {"facts": {"homepage_tampered_since": SINCE}}, "node:node-1"),
            told(2, "incident.graded", {"level": "III"}),
            told(3, "incident.moved", {"facts": {"views": [None, 12000]}}, "person:wang", 5),
            told(4, "incident.moved", {"from": "open", "to": "contained"}, "person:wang", 9),
        ),
        "measures": (
            Measure(
                run="run",
                step="isolate",
                kind="manual",
                title=Words("断开网站", "take the site off the net"),
                state="done",
                actor="person:wang",
                ended_at=NINE + timedelta(minutes=8),
            ),
        ),
        "at": NINE + timedelta(minutes=10),
    }
    return Material(**values | changes)


@pytest.fixture(scope="session")
def registry() -> "Registry":
    office = ROOT / "tests" / "golden" / "office.yaml"
    return read_registry(office.read_text(), str(office))


@pytest.fixture
def known_incident(registry: "Registry") -> Material:
    """A tampered home page of which much is known."""
    return material(registry)


@pytest.fixture
def ransomed(registry: "Registry") -> Material:
    """The same with a ransom demanded."""
    row = incident()
    return material(registry, incident=replace(row, facts=row.facts | {"ransom_demanded": True}))
