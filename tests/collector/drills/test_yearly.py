"""One comprehensive drill a year, next year's plan by December: what each can show, and lacks."""

from datetime import UTC, datetime
from typing import Any

import pytest

from collector.drills import Held, prove
from collector.drills.yearly import LACKS

UNITS = [("county", "Asia/Shanghai")]


def held(state: str, at: datetime, **changes: Any) -> Held:  # noqa: ANN401 - fields of a drill
    values: dict[str, Any] = {
        "id": "d",
        "units": ("county",),
        "name": "甲",
        "name_en": "a",
        "form": "live",
        "kind": "comprehensive",
        "state": state,
        "planned_at": at,
        "ended_at": at if state == "done" else None,
        "points": 90 if state == "done" else None,
    }
    return Held(**values | changes)


def day(year: int, month: int) -> datetime:
    return datetime(year, month, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("drills", "now", "lacks"),
    [
        ([], day(2026, 3), ["no_drill"]),
        ([held("planned", day(2026, 6))], day(2026, 3), []),
        ([held("done", day(2026, 6))], day(2026, 7), []),
        ([held("done", day(2026, 6), kind="special")], day(2026, 7), ["no_comprehensive"]),
        ([held("cancelled", day(2026, 6))], day(2026, 7), ["no_drill"]),
        ([held("done", day(2025, 6))], day(2026, 7), ["no_drill"]),
        ([held("done", day(2026, 6))], day(2026, 12), ["no_plan_next_year"]),
        ([held("done", day(2026, 6)), held("planned", day(2027, 6))], day(2026, 12), []),
        ([held("planned", day(2026, 6))], day(2027, 1), ["no_drill"]),
        ([held("done", day(2026, 6), units=("city",))], day(2026, 7), ["no_drill"]),
    ],
)
def test_what_a_unit_lacks(drills: list[Held], now: datetime, lacks: list[str]) -> None:
    (proof,) = prove(UNITS, drills, 2026, now)

    assert proof.lacks == lacks
    assert proof.ok == any(one.state == "done" and one.ended_at == day(2026, 6) for one in proof.held)


def test_a_year_is_the_units_own() -> None:
    new_year = held("done", datetime(2026, 12, 31, 17, tzinfo=UTC))  # one o'clock on 1 January there
    (proof,) = prove(UNITS, [new_year], 2027, day(2027, 1))

    assert [one.id for one in proof.held] == ["d"]


def test_every_lack_has_its_words() -> None:
    assert all(zh and en for zh, en in LACKS.values())
