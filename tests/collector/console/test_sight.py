from datetime import UTC, datetime, timedelta
from typing import Any

from collector.console.sight import Sight
from collector.console.spans import zone_named
from collector.desk import Principal
from collector.store.views import AuditRow, IncidentRow, ObligationRow
from tests.browser.watch_room import shipped_registry

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def sight(language: str = "zh", role: str = "duty") -> Sight:
    return Sight(
        language=language,
        now=NOW,
        registry=shipped_registry(),
        principal=Principal(actor="person:li-na", name="li", role=role, person="li-na"),
        zone=zone_named("Asia/Shanghai"),
    )


def clock(**changes: Any) -> ObligationRow:  # noqa: ANN401 - fields
    fields: dict[str, Any] = {
        "id": "c",
        "incident": "i",
        "obligation": "cn-cac-2025/first",
        "regime": "cn-cac-2025",
        "stage": "first",
        "recipient": "provincial_cac",
        "anchor": "aware",
        "anchor_at": NOW,
        "due_at": NOW + timedelta(hours=1),
        "target_at": None,
        "state": "open",
        "missing": None,
        "content": [],
        "source": "Art. 4",
        "verified": True,
        "generation": 1,
        "opened_at": NOW,
        "met_at": None,
        "met_by": None,
    }
    return ObligationRow(**fields | changes)


def incident(**changes: Any) -> IncidentRow:  # noqa: ANN401 - fields
    fields: dict[str, Any] = {
        "id": "i",
        "unit": "district",
        "asset": None,
        "node": None,
        "klass": "NAWEBMOD",
        "level": "IV",
        "level_by": None,
        "next_level": None,
        "state": "open",
        "acknowledged_by": None,
        "title": "首页被篡改",
        "title_en": "Home page tampered with",
        "count": 1,
        "first_seen": NOW,
        "last_seen": NOW,
        "opened_at": NOW,
        "updated_at": NOW,
        "closed_at": None,
        "late": False,
        "drill": False,
        "version": 1,
    }
    return IncidentRow(**fields | changes)


def entry(action: str, **detail: Any) -> AuditRow:  # noqa: ANN401 - JSON
    return AuditRow(
        id=1,
        chain="c",
        n=1,
        at=NOW,
        actor="system",
        action=action,
        subject="x:1",
        incident=None,
        detail=detail,
        previous="",
        hash="",
    )


def test_a_reader_gets_their_language_and_names_of_the_register() -> None:
    zh, en = sight("zh"), sight("en")

    assert (zh.title(incident()), en.title(incident())) == ("首页被篡改", "Home page tampered with")
    assert (zh.unit("district"), en.unit("district")) == ("示例区大数据中心", "Example District Data Centre")
    assert (zh.level("IV"), en.level(None)) == ("一般", "not graded")
    assert (zh.actor("person:li-na"), zh.actor("system"), en.actor("user:admin")) == ("李娜", "系统", "admin")
    assert (zh.unit("gone"), zh.person(None), zh.asset("gone")) == ("gone", "", "gone")


def test_the_earliest_clock_comes_first_and_law_is_told_from_a_house_target() -> None:
    house = clock(id="h", due_at=None, target_at=NOW + timedelta(minutes=30), state="no_number")
    met = clock(id="m", state="met")
    faces = sight().faces([clock(), met, house])

    assert [(face.clock.id, face.law) for face in faces] == [("h", False), ("c", True)]
    assert faces[0].left == timedelta(minutes=30)


def test_a_clock_past_due_is_overdue_before_its_alarm_has_fired() -> None:
    late = clock(due_at=NOW - timedelta(seconds=1))

    assert sight().clock_state(late) == "overdue"
    assert sight().clock_state(clock(due_at=NOW)) == "open"
    assert sight().faces([late])[0].heat == "late"


def test_only_legal_moves_are_offered_and_only_to_who_may_act() -> None:
    assert sight().moves(incident()) == ["acknowledged", "contained", "handled", "closed"]
    assert sight().moves(incident(state="contained")) == ["handled", "closed"]
    assert sight().moves(incident(state="closed")) == []
    assert sight(role="viewer").moves(incident()) == []


def test_the_gist_of_an_entry_is_what_its_detail_says_in_words() -> None:
    assert (
        sight("en").gist(entry("incident.moved", **{"from": "open", "to": "contained", "reason": ""}))
        == "contained"
    )
    assert (
        sight("zh").gist(entry("run.step", step="restore", state="done"), {"restore": "恢复"})
        == "恢复 · 完成"
    )
    called = [{"id": "1", "key": "k/1", "person": "li-na", "channel": "webhook"}]
    called += [called[0] | {"id": "2", "key": "k/2", "channel": "sms"}]
    assert sight("zh").gist(entry("notice.queued", subject="火", notices=called)) == "webhook · 李娜 · sms"


def test_a_difference_to_the_register_is_said_in_words() -> None:
    told = sight("en").finding({"kind": "grade_differs", "declared": 2, "registered": 3, "asset": None})

    assert told == "declared grade differs from the register: declared 2 · registered 3"


def test_times_stand_in_the_zone_of_the_unit() -> None:
    assert sight().stamp(NOW, "district") == "2026-03-02 09:00:00 UTC+8"
    assert sight().instant("2026-03-02T09:00:00+08:00") == NOW
    assert (sight().instant("soon"), sight().instant("2026-03-02T09:00:00")) == (None, None)


def test_a_choice_is_read_in_the_reader_s_language_and_a_strange_value_as_it_is() -> None:
    field = {"choices": {"busy": {"zh": "业务高峰", "en": "busy hours"}}}

    assert (sight("zh").chosen(field, "busy"), sight("en").chosen(field, "busy")) == (
        "业务高峰",
        "busy hours",
    )
    assert [sight("zh").chosen(field, value) for value in ("odd", 3, ["busy"])] == ["odd", "3", "busy"]
    assert sight("zh").chosen({"choices": ["busy"]}, "busy") == "busy"
