"""Scripts of drills: read with every mistake's place, ordered by time, one thing an event."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.drills import Script, read_script
from collector.drills.script import absences, fact_values
from collector.yaml_marks import Mistakes
from tests.collector.drills.scripts import SCRIPT

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)


def mistakes(text: str, **more: frozenset[str]) -> list[str]:
    with pytest.raises(Mistakes) as caught:
        read_script(text, "drill.yaml", **more)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_a_script_is_read_and_its_events_come_in_the_order_of_time() -> None:
    script = read_script(SCRIPT, "drill.yaml")

    assert [event.kind for event in script.events] == ["incident", "incident", "absent", "message", "facts"]
    assert script.limits.acknowledge == timedelta(minutes=10)
    assert absences(script.events, NINE) == [
        ("duty", NINE + timedelta(minutes=12), NINE + timedelta(minutes=42))
    ]


def test_a_script_that_was_stored_is_the_one_that_was_written() -> None:
    script = read_script(SCRIPT, "drill.yaml")

    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(script)), Script) == script


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("form: live", "form: fun", "form: found 'fun'"),
        ("at: 12m\n    absent", "at: 4h\n    absent", "events[3].at: found after the end"),
        ("name: second", "name: first", "a name of its own"),
        ("facts: {set:", "facts: {of: third, set:", "an incident that has begun by then"),
        ("-5m", "five minutes", "now, a length back"),
        ("to: leader, ", "", "message.to: found nothing"),
        ("lasts: 3h", "lasts: 60d", "at most 14d"),
        ("answer: 4m", "answer: soon", "people.answer"),
    ],
)
def test_every_mistake_says_where_it_stands(old: str, new: str, said: str) -> None:
    found = mistakes(SCRIPT.replace(old, new, 1))

    assert any(said in line for line in found), found
    assert all(line.startswith("drill.yaml:") for line in found)


def test_an_event_is_exactly_one_thing() -> None:
    both = "    absent: {role: duty, for: 30m}\n    message: {to: duty, text: {zh: a, en: b}}\n"
    found = mistakes(SCRIPT.replace("    absent: {role: duty, for: 30m}\n", both))

    assert any("exactly one of incident, facts, absent, message" in line for line in found)


def test_a_script_without_an_incident_is_no_drill() -> None:
    said = "name: {zh: 甲, en: a}\nform: live\nevents: [{at: 0m, absent: {role: duty, for: 1m}}]\n"

    assert any("at least one event at which an incident begins" in line for line in mistakes(said))


def test_a_fact_that_the_law_does_not_know_is_a_mistake_where_its_names_are_given() -> None:
    found = mistakes(SCRIPT, facts=frozenset({"homepage_tampered_since"}))

    assert any("events[0].facts.set.reposts" in line for line in found)


@given(st.text(max_size=12))
def test_any_value_of_a_fact_becomes_something_that_json_holds(text: str) -> None:
    value = fact_values({"x": text}, NINE)["x"]

    assert isinstance(value, bool | int | float | str)
