from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from collector.exposure import Judged
from collector.exposure.reasons import reason
from collector.store import schema
from collector.store.engine import Store
from collector.store.exits import Change, keep_exits
from collector.store.facts import forget
from wire.vocabulary import Verdict

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def way(verdict: Verdict, key: str = "way/usb0/-/4") -> Judged:
    return Judged(
        key=key,
        verdict=verdict,
        link=key.split("/")[1],
        link_kind="usb_tether",
        next_hop=None,
        addresses=("10.9.9.9",),
        sanctioned_by=None,
        reasons=(reason("no_next_hop"),),
        evidence=({"route": "0.0.0.0/0"},),
    )


async def keep(state: Store, *judged: Judged, minutes: int = 0) -> tuple[Change, ...]:
    async with state.write() as conn:
        return await keep_exits(conn, "n", "county", judged, NOON + timedelta(minutes=minutes))


async def row(state: Store) -> dict[str, Any]:
    async with state.read() as conn:
        return dict((await conn.execute(sa.select(schema.exits))).mappings().one())


async def test_a_new_way_a_changed_verdict_and_an_unchanged_one(state: Store) -> None:
    (new,) = await keep(state, way("available"))
    (same,) = await keep(state, way("available"), minutes=1)
    (used,) = await keep(state, way("used"), minutes=2)

    assert [(one.before, one.fresh) for one in (new, same, used)] == [
        (None, True),
        ("available", False),
        ("available", True),
    ]
    kept = await row(state)
    assert (kept["first_seen"], kept["last_seen"]) == (NOON, NOON + timedelta(minutes=2))
    assert kept["evidence"]["reasons"][0]["code"] == "no_next_hop"


async def test_a_way_that_is_gone_stays_as_gone_is_told_once_and_may_come_back(state: Store) -> None:
    await keep(state, way("available"))
    (gone,) = await keep(state, minutes=1)
    assert (gone.judged, gone.before, gone.fresh) == (None, "available", True)
    assert (await row(state))["gone_at"] == NOON + timedelta(minutes=1)
    assert await keep(state, minutes=2) == ()

    async with state.write() as conn:
        await forget(conn, NOON)

    (back,) = await keep(state, way("available"), minutes=3)
    assert back.before is None
    kept = await row(state)
    assert (kept["gone_at"], kept["first_seen"]) == (None, NOON + timedelta(minutes=3))


async def test_only_what_has_been_gone_for_long_is_forgotten(state: Store) -> None:
    await keep(state, way("available"), way("used", "way/tun0/-/4"))
    await keep(state, way("available"), minutes=1)
    async with state.write() as conn:
        await forget(conn, NOON + timedelta(days=30))

    assert (await row(state))["key"] == "way/usb0/-/4"


@pytest.mark.parametrize(
    ("key", "verdict", "told", "seen"),
    [
        ("way/usb0/-/4", "available", "asset", False),
        ("way/usb0/-/4", "available", "sockets", False),
        ("way/usb0/-/4", "used", "sockets", True),
        ("way/usb0/-/4", "available", "exits", True),
        ("service/tcp/22", "exposed_service", "asset", True),
        ("service/tcp/22", "exposed_service", "exits", False),
        ("gateway", "bridging", "sockets", True),
    ],
)
async def test_a_report_that_says_nothing_of_a_row_is_no_sight_of_it(
    sqlite_state: Store, key: str, verdict: Verdict, told: str, seen: object
) -> None:
    one = replace(way("available"), key=key, verdict=verdict)
    await keep(sqlite_state, one)
    async with sqlite_state.write() as conn:
        await keep_exits(conn, "n", "county", [one], NOON + timedelta(days=3), told=told)

    assert ((await row(sqlite_state))["last_seen"] > NOON) is seen
