"""What a person says is otherwise: typed, all mistakes at once, and only by a named person."""

from datetime import timedelta
from typing import Any

import pytest

from collector.desk import Principal, ProblemError
from collector.desk.correcting import FACTS, NAMES, TIMES, correct_incident, said
from collector.store.clocks import clocks_of
from collector.store.incidents import get_incident
from tests.browser.watch_room import Room

LI = Principal(actor="person:li-na", name="li", role="duty", person="li-na")
WU = Principal(actor="person:wu-hao", name="wu", role="duty", person="wu-hao")
TOKEN = Principal(actor="token:1", name="t", role="duty")
SEES = Principal(actor="user:v", name="v", role="viewer")


async def correct(room: Room, incident: str, who: Principal = LI, **changes: Any) -> None:  # noqa: ANN401 - JSON
    told = {"facts": {}, "times": {}, "reason": "looked again"} | changes
    await correct_incident(room.desk, who, incident, now=room.clock(), **told)


async def test_a_persons_word_moves_level_and_clocks_both_ways(room: Room) -> None:
    incident = await room.open()
    earlier = room.clock() - timedelta(hours=1)
    await correct(room, incident, facts={"declared_level": "II"}, times={"aware": earlier.isoformat()})
    async with room.store.read() as conn:
        row, clocks = await get_incident(conn, incident), await clocks_of(conn, [incident])
    assert row is not None
    assert (row.level, row.facts["declared_level"]) == ("II", "II")
    (first,) = [one for one in clocks if one.obligation == "cn-cac-2025/first"]
    assert first.due_at == earlier + timedelta(hours=4)

    await correct(room, incident, facts={"declared_level": None, "homepage_tampered_since": None})
    async with room.store.read() as conn:
        row, clocks = await get_incident(conn, incident), await clocks_of(conn, [incident])
    assert row is not None
    assert row.level == "IV"
    assert {one.state for one in clocks if one.obligation == "cn-cac-2025/first"} == {"withdrawn"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "facts: found neither facts nor times"),
        ({"facts": {"major": True}, "reason": " "}, "reason: found nothing"),
        ({"facts": {"reposts": -1, "bar": 1, "kind": "x"}}, "facts.bar: found an unknown fact"),
        ({"facts": {"page_tampered_since": "2026-03-02T09:00:00"}}, "without offset"),
        ({"times": {"aware": None}}, "every clock runs from it"),
        ({"times": {"aware": "2126-03-02T09:00:00Z", "noon": "x", "paid": "x"}}, "times.noon"),
        ({"times": {"handled": "2026-03-02T09:00:00"}}, "with offset until"),
    ],
)
async def test_every_mistake_is_told_and_nothing_is_changed(
    room: Room, changes: dict[str, Any], expected: str
) -> None:
    incident = await room.open()
    with pytest.raises(ProblemError, match=expected) as told:
        await correct(room, incident, **changes)
    count = len(changes.get("facts", {})) + len(changes.get("times", {}))

    assert told.value.kind == "malformed"
    assert told.value.detail.count("; ") == max(count - 1, 0)


async def test_rights_are_those_of_the_incident_and_a_token_is_nobodys_word(room: Room) -> None:
    incident = await room.open()
    for who, where, kind in (
        (WU, incident, "not-found"),
        (LI, "nothing", "not-found"),
        (SEES, incident, "forbidden"),
        (TOKEN, incident, "conflict"),
    ):
        with pytest.raises(ProblemError) as told:
            await correct(room, where, who, facts={"major": True})
        assert told.value.kind == kind


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("reposts", " 12 ", 12), ("major", "true", True), ("loss_yuan", "", None), ("loss_yuan", "much", "much"),
     ("province_population_share", "0.3", 0.3), ("declared_level", "II", "II"), ("bar", "1", "1")],
)  # fmt: skip
def test_a_form_s_text_is_what_the_fact_is_or_stays_text_to_be_refused(
    name: str, text: str, value: object
) -> None:
    assert said(name, text) == value


def test_the_names_are_those_of_facts_and_times() -> None:
    assert set(NAMES) <= {*FACTS, *TIMES}
