"""Alerts become incidents once, end as news to them, and what cannot be read is seen."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from collector.desk.world import Taken
from collector.intake import FORMATS, Intake
from collector.store import schema
from collector.store.engine import Store
from tests.conftest import Office

SAMPLES = Path(__file__).parents[2] / "golden" / "intake"
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


@pytest.fixture
def intake(state: Store, office: Office) -> Intake:
    return Intake(
        state,
        open_incident=office.casework.open,
        note_end=office.casework.note,
        registry=lambda: office.registry,
        classes=lambda: office.classes,
        unit="county",
        formats=FORMATS,
    )


async def rows(state: Store, table: sa.Table) -> list[dict[str, Any]]:
    async with state.read() as connection:
        return [dict(row) for row in (await connection.execute(sa.select(table))).mappings()]


def sample(name: str, **changes: object) -> bytes:
    document = json.loads((SAMPLES / f"{name}.json").read_text())
    document["alerts"][0] |= changes
    return json.dumps(document).encode()


async def test_an_alert_opens_an_incident_once_however_often_it_is_sent(intake: Intake, state: Store) -> None:
    first = await intake.take("alertmanager", sample("alertmanager"), NOW)
    again = await intake.take("alertmanager", sample("alertmanager"), LATER)

    assert first == Taken(accepted=2, repeated=0, quarantined=0)
    assert again == Taken(accepted=0, repeated=2, quarantined=0)
    (incident,) = await rows(state, schema.incidents)
    assert (incident["asset"], incident["unit"], incident["count"]) == ("portal", "county", 1)
    assert incident["class"] == "DETECH"
    assert incident["title"] == "PortalDown: 门户网站无法访问"
    assert incident["facts"]["portal_down_since"].startswith("2026-03-02T08:52:26")
    assert incident["evidence"][0]["labels"]["job"] == "blackbox"
    assert (await rows(state, schema.clocks)) != [], "it is graded and owes its reports like any other"


async def test_what_is_over_is_told_to_its_incident_and_counts_for_its_grade(
    intake: Intake, state: Store
) -> None:
    await intake.take("alertmanager", sample("alertmanager"), NOW)
    over = sample("alertmanager", status="resolved", endsAt="2026-03-02T02:52:30Z")
    taken = await intake.take("alertmanager", over, LATER)

    (incident,) = await rows(state, schema.incidents)
    assert (taken.accepted, taken.repeated) == (1, 1)
    assert incident["facts"]["portal_down_minutes"] == 120
    assert "portal_down_since" not in incident["facts"]
    assert incident["state"] == "open", "ending it is for a person"


async def test_the_same_alert_at_another_time_attaches_to_its_incident(intake: Intake, state: Store) -> None:
    await intake.take("grafana", sample("grafana"), NOW)
    await intake.take("grafana", sample("grafana", startsAt="2026-03-02T02:00:00Z"), LATER)
    (incident,) = await rows(state, schema.incidents)
    assert (incident["class"], incident["unit"], incident["count"]) == ("OTH", "county", 2)
    assert incident["title"] == "High memory usage: This alert was triggered for zone us-1"


async def test_what_cannot_be_read_lies_in_quarantine_once(intake: Intake, state: Store) -> None:
    bad = sample("alertmanager", startsAt="soon")
    assert await intake.take("alertmanager", bad, NOW) == Taken(accepted=1, repeated=0, quarantined=1)
    assert await intake.take("alertmanager", bad, LATER) == Taken(accepted=0, repeated=1, quarantined=1)
    await intake.take("grafana", b"hello", NOW)

    found = {row["source"]: row for row in await rows(state, schema.quarantine)}
    assert set(found) == {"intake:alertmanager", "intake:grafana"}
    assert found["intake:alertmanager"]["where"] == "$.alerts[0]"
    assert b"PortalDown" in found["intake:alertmanager"]["body"]
    assert found["intake:grafana"]["body"] == b"hello"
    assert len(await rows(state, schema.quarantine)) == 2


async def test_nothing_is_kept_of_an_alert_about_a_classified_asset(
    intake: Intake, state: Store, office: Office
) -> None:
    classified = next(key for key, asset in office.registry.assets.items() if asset.classified)
    labels = {"alertname": "Secret", "asset": classified}
    taken = await intake.take("grafana", sample("grafana", labels=labels), NOW)

    assert taken == Taken(accepted=0, repeated=0, quarantined=1)
    assert await rows(state, schema.incidents) == []
    (aside,) = await rows(state, schema.quarantine)
    assert aside["body"] == b""
