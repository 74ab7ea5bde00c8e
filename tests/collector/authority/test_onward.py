"""A grave report from below is, where the law names the receiver, a clock of the receiver's own."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from collector.authority import receive
from collector.authority.onward import onward_finding
from collector.casework import Casework
from collector.registry import Registry, read_registry
from collector.store import schema
from collector.store.engine import Store
from tests.collector.authority.test_received import COUNTY, FILING, NOON
from tests.conftest import Office
from wire.messages import Filing

OFFICE = Path(__file__).parents[2] / "golden" / "office.yaml"
CITY = "kind: local_government, level: prefecture"
GRAVE = replace(
    FILING, level="II", incident={"class": "NAWEBMOD", "title": "首页被篡改", "title_en": "tampered"}
)


def province(kind: str) -> Registry:
    return read_registry(
        OFFICE.read_text("utf-8").replace(CITY, f"kind: {kind}, level: provincial", 1), "o.yaml"
    )


class Body:
    """A receiving body's collector."""

    def __init__(self, store: Store, office: Office, kind: str) -> None:
        self.store, self.registry = store, province(kind)
        self.casework = Casework(
            registry=lambda: self.registry, regimes=lambda: office.regimes, policy=lambda: office.policy
        )
        self.now = NOON

    async def take(self, filing: Filing) -> None:
        async with self.store.write() as conn:
            await receive(
                conn,
                COUNTY,
                filing,
                b"raw",
                registry=self.registry,
                issuer="city",
                now=self.now,
                open_incident=self.casework.open,
            )

    async def owed(self) -> dict[str, object]:
        async with self.store.read() as conn:
            rows = await conn.execute(sa.select(schema.clocks.c.obligation, schema.clocks.c.due_at))
            return {row.obligation: row.due_at and row.due_at - NOON for row in rows}

    async def incidents(self) -> list[sa.RowMapping]:
        async with self.store.read() as conn:
            return list((await conn.execute(sa.select(schema.incidents))).mappings())


@pytest.fixture
def body(sqlite_state: Store, office: Office) -> Callable[[str], Body]:
    return lambda kind: Body(sqlite_state, office, kind)


@pytest.mark.parametrize(
    ("kind", "owed"),
    [
        ("provincial_cac", {"cn-cac-2025/onward": timedelta(hours=1)}),
        ("own_cac_office", {"cn-cac-2025/onward": timedelta(hours=1)}),
        (
            "cii_protection_department",
            dict.fromkeys(
                ("cn-cac-2025/onward/national_cac", "cn-cac-2025/onward/police"), timedelta(minutes=30)
            ),
        ),
    ],
)
async def test_a_grave_report_begins_the_receivers_own_clock(
    body: Callable[[str], Body], kind: str, owed: dict[str, timedelta]
) -> None:
    receiver = body(kind)
    await receiver.take(GRAVE)

    assert await receiver.owed() == owed
    (incident,) = await receiver.incidents()
    assert (incident["unit"], incident["class"], incident["title"]) == (
        "city",
        "NAWEBMOD",
        "须向上报告：首页被篡改",
    )
    async with receiver.store.read() as conn:
        alarms = (await conn.execute(sa.select(schema.alarms.c.kind))).scalars().all()
    assert "escalate_0" in alarms


async def test_a_resend_and_a_second_report_of_one_incident_are_one_here(body: Callable[[str], Body]) -> None:
    receiver = body("provincial_cac")
    await receiver.take(GRAVE)
    receiver.now += timedelta(minutes=20)
    await receiver.take(GRAVE)
    await receiver.take(replace(GRAVE, key="k2", obligation="cn-cac-2025/first"))

    (incident,) = await receiver.incidents()
    assert incident["count"] == 2
    assert await receiver.owed() == {"cn-cac-2025/onward": timedelta(hours=1)}


async def test_what_becomes_grave_later_is_owed_from_then(body: Callable[[str], Body]) -> None:
    receiver = body("provincial_cac")
    await receiver.take(FILING)
    assert await receiver.incidents() == []

    receiver.now += timedelta(minutes=20)
    await receiver.take(replace(GRAVE, key="k2"))
    assert await receiver.owed() == {"cn-cac-2025/onward": timedelta(minutes=80)}


@pytest.mark.parametrize("kind", ["local_government", "public_institution"])
async def test_who_is_no_receiving_body_owes_nothing_by_it(body: Callable[[str], Body], kind: str) -> None:
    receiver = body(kind)
    await receiver.take(GRAVE)

    assert await receiver.incidents() == []


@pytest.mark.parametrize("told", [{}, {"class": 3, "title": ["x"]}, {"class": "a b", "title": "\x00\x1b[2J"}])
def test_what_cannot_be_read_of_a_report_does_not_keep_it_from_being_owed(told: dict[str, object]) -> None:
    found = onward_finding(replace(GRAVE, incident=told), province("provincial_cac").units["city"], NOON)

    assert found is not None
    assert found.klass == "OTH"
    assert found.title.isprintable()
