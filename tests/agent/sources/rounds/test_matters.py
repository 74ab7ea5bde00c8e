import doctest
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agent.sources.rounds import matters
from agent.sources.rounds.matters import MAX_MATTERS, Finding, Found, Matter, proceed, standing

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def finding(key: str = "backups:portal", **fields: Any) -> Finding:  # noqa: ANN401 - fields of a finding
    return Finding(**{"key": key, "klass": "SHECONFIG", "severity_hint": "low"} | fields)


def test_the_story_runs() -> None:
    assert doctest.testmod(matters).failed == 0


def test_what_goes_on_unchanged_is_told_once_and_again_after_six_hours() -> None:
    known: dict[str, Matter] = {}
    told = []
    for quarter in range(28):
        known, bodies = proceed(known, Found([finding()]), NOON + 15 * quarter * MINUTE)
        told += [quarter / 4 for _ in bodies]

    assert told == [0, 6]


def test_what_gets_graver_is_told_at_once_and_what_only_changes_a_minute_later() -> None:
    known, _ = proceed({}, Found([finding()]), NOON)
    changed = finding(evidence=[{"fault": "missing"}])
    known, early = proceed(known, Found([changed]), NOON + MINUTE / 2)
    known, later = proceed(known, Found([changed]), NOON + MINUTE)
    known, graver = proceed(known, Found([finding(severity_hint="high")]), NOON + 1.5 * MINUTE)

    assert early == []
    assert [body["evidence"] for body in later] == [[{"fault": "missing"}]]
    assert [body["severity_hint"] for body in graver] == ["high"]


def test_what_is_gone_is_over_but_not_where_nobody_could_look() -> None:
    known, _ = proceed({}, Found([finding("a:1"), finding("a:12"), finding("b:x")]), NOON)
    known, bodies = proceed(known, Found([], blind=("a:1", "b:")), NOON + MINUTE)

    assert [(body["key"], body["restored"]) for body in bodies] == [("a:12", True)]
    assert sorted(known) == ["a:1", "b:x"]


def test_what_is_of_a_moment_is_never_over_and_told_each_time() -> None:
    cleared = finding("logs:wtmp", passing=True)
    known, first = proceed({}, Found([cleared]), NOON)
    known, quiet = proceed(known, Found([]), NOON + MINUTE)
    known, second = proceed(known, Found([cleared]), NOON + 2 * MINUTE)
    known, forgotten = proceed(known, Found([]), NOON + 90 * MINUTE)

    assert [body["count"] for body in first + second] == [1, 2]
    assert quiet == forgotten == []
    assert known == {}


def test_a_lasting_fact_counts_from_the_beginning_to_the_end_that_is_known() -> None:
    down = finding(lasting="portal_down", first_seen=NOON - 5 * MINUTE)
    known, (began,) = proceed({}, Found([down]), NOON)
    _, (over,) = proceed(known, Found([], ended={down.key: NOON + 10 * MINUTE}), NOON + 12 * MINUTE)

    assert began["facts"] == {"portal_down_since": "2026-03-02T03:55:00Z"}
    assert over["facts"] == {"portal_down_minutes": 15}
    assert over["last_seen"] == "2026-03-02T04:10:00Z"


def test_a_clock_set_back_neither_hides_a_matter_nor_turns_its_times_around() -> None:
    known, _ = proceed({}, Found([finding()]), NOON)
    known, bodies = proceed(known, Found([finding()]), NOON - 60 * MINUTE)

    assert [body["key"] for body in bodies] == ["backups:portal"]


def test_matters_are_bounded() -> None:
    known, bodies = proceed({}, Found([finding(f"a:{n}") for n in range(MAX_MATTERS + 5)]), NOON)

    assert len(known) == len(bodies) == MAX_MATTERS


def test_a_single_look_tells_what_was_told_before_with_its_beginning() -> None:
    known, _ = proceed({}, Found([finding()]), NOON)
    (body,) = standing(known, Found([finding()]), NOON + MINUTE)

    assert (body["first_seen"], body["last_seen"]) == ("2026-03-02T04:00:00Z", "2026-03-02T04:01:00Z")


@given(st.lists(st.lists(st.sampled_from("abc"), unique=True), max_size=20))
def test_what_is_told_adds_up_to_what_is_there(rounds: list[list[str]]) -> None:
    """Whoever follows begins and ends knows at any time what is wrong; over a restart too."""
    known: dict[str, Matter] = {}
    open_there: set[str] = set()
    for number, keys in enumerate(rounds):
        known, bodies = proceed(known, Found([finding(key) for key in keys]), NOON + number * MINUTE)
        known = msgspec.json.decode(msgspec.json.encode(known), type=dict[str, Matter])
        open_there |= {body["key"] for body in bodies if not body["restored"]}
        open_there -= {body["key"] for body in bodies if body["restored"]}

        assert open_there == set(keys)
