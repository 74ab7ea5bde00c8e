"""Who may hold a drill, see one, and say that this side is in one; every mistake of a script comes back."""

import pytest

from collector.desk.drills import (
    Wanted,
    act_on_drill,
    decide_drill,
    drill_proof,
    list_announced,
    list_drills,
    plan_drill,
    read_drill,
    report_drill,
)
from collector.desk.problem import ProblemError
from collector.desk.rights import Principal
from collector.store.drills import take_announced
from tests.browser.watch_room import Room
from tests.collector.drills.scripts import SCRIPT
from wire.messages import VERSION, DrillNotice

LI = Principal(actor="person:li-na", name="li", role="duty", person="li-na")
VIEWER = Principal(actor="user:v", name="v", role="viewer")
SCRIPT_HERE = SCRIPT.replace("asset: portal", "asset: district-portal")


def wanted(room: Room, **changes: object) -> Wanted:
    values: dict[str, object] = {
        "unit": "district",
        "units": [],
        "planned_at": room.clock(),
        "superior": False,
        "script": SCRIPT_HERE,
        "name": "",
        "name_en": "",
        "form": "live",
        "scope": "unit",
        "kind": "special",
    }
    return Wanted(**values | changes)  # type: ignore[arg-type]


async def test_a_drill_is_planned_held_scored_and_proved(room: Room) -> None:
    drill = await plan_drill(room.desk, LI, wanted(room), room.clock())
    await act_on_drill(room.desk, LI, drill.id, "start", now=room.clock())
    message = "at: 0m\nmessage: {to: duty, text: {zh: 甲, en: a}}\n"
    await act_on_drill(room.desk, LI, drill.id, "inject", message, now=room.clock())
    await act_on_drill(room.desk, LI, drill.id, "end", now=room.clock())
    await act_on_drill(room.desk, LI, drill.id, "lessons", "更新通讯录", now=room.clock())
    shown = await read_drill(room.desk, LI, drill.id, room.clock())

    assert (shown.drill.state, shown.drill.lessons, shown.drill.kind) == (
        "done",
        "更新通讯录",
        "comprehensive",
    )
    assert [one.id for one in await list_drills(room.desk, LI)] == [drill.id]
    proofs = await drill_proof(room.desk, LI, room.clock().year, room.clock())
    assert {proof.unit: proof.ok for proof in proofs}["district"]
    name, media, body = await report_drill(room.desk, LI, drill.id, "json", "zh", now=room.clock())
    assert (name, media) == (f"drill-{drill.id}.json", "application/json")
    assert "更新通讯录".encode() in body


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"unit": "nowhere"}, "malformed"),
        ({"script": "form: fun"}, "malformed"),
        ({"script": "", "name": "甲"}, "malformed"),
    ],
)
async def test_what_cannot_be_planned_says_why(room: Room, changes: dict[str, object], kind: str) -> None:
    with pytest.raises(ProblemError) as refused:
        await plan_drill(room.desk, LI, wanted(room, **changes), room.clock())
    assert refused.value.kind == kind


async def test_who_only_reads_holds_no_drill_and_decides_nothing(room: Room) -> None:
    drill = await plan_drill(room.desk, LI, wanted(room), room.clock())
    assert (await read_drill(room.desk, VIEWER, drill.id, room.clock())).drill.id == drill.id

    with pytest.raises(ProblemError, match="may not act"):
        await act_on_drill(room.desk, VIEWER, drill.id, "start", now=room.clock())
    with pytest.raises(ProblemError, match="may not act"):
        await plan_drill(room.desk, VIEWER, wanted(room), room.clock())
    with pytest.raises(ProblemError, match="there is no drill"):
        await act_on_drill(room.desk, LI, "nowhere", "start", now=room.clock())


async def test_what_does_not_fit_the_drill_as_it_stands_is_a_conflict(room: Room) -> None:
    drill = await plan_drill(room.desk, LI, wanted(room, script="", name="甲", name_en="a"), room.clock())
    with pytest.raises(ProblemError) as refused:
        await act_on_drill(room.desk, LI, drill.id, "start", now=room.clock())
    assert refused.value.kind == "conflict"

    await act_on_drill(room.desk, LI, drill.id, "write", SCRIPT_HERE, now=room.clock())
    with pytest.raises(ProblemError, match="text"):
        await act_on_drill(room.desk, LI, drill.id, "cancel", " ", now=room.clock())
    await act_on_drill(room.desk, LI, drill.id, "cancel", "汛期", now=room.clock())
    with pytest.raises(ProblemError, match="only a planned one"):
        await act_on_drill(room.desk, LI, drill.id, "write", SCRIPT_HERE, now=room.clock())


async def test_a_person_says_whether_this_side_is_in_a_drill_from_below(room: Room) -> None:
    notice = DrillNotice(
        version=VERSION,
        id="d9",
        unit="district",
        name="甲",
        name_en="a",
        form="live",
        starts_at=room.clock(),
        ends_at=room.clock(),
    )
    await room.store.run(lambda conn: take_announced(conn, notice, "n1", room.clock()))
    with pytest.raises(ProblemError, match="may not act"):
        await decide_drill(room.desk, VIEWER, "d9", "accepted", now=room.clock())
    decided = await decide_drill(room.desk, LI, "d9", "accepted", now=room.clock())

    assert (decided.state, decided.decided_by) == ("accepted", "person:li-na")
    assert await list_announced(room.desk, LI) == [decided]
    with pytest.raises(ProblemError, match="no announced drill"):
        await decide_drill(room.desk, LI, "d8", "accepted", now=room.clock())
