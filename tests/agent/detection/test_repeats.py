import doctest
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agent.detection import repeats
from agent.detection.repeats import Finding, Repeats, RepeatSettings, Severity, Trouble

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def finding(
    seconds: float, source: str = "203.0.113.9", severity: Severity = "low", group: str = "g"
) -> Finding:
    return Finding(
        key=f"{group}:{source}",
        group=group,
        incident_class="NASCAN",
        severity=severity,
        at=after(seconds),
        source_address=source,
        item={"at": seconds},
    )


def short(bodies: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    return [(one["key"], one["count"], one["restored"]) for one in bodies]


def test_the_story_is_true() -> None:
    assert doctest.testmod(repeats).attempted
    assert doctest.testmod(repeats).failed == 0


def test_a_trouble_is_told_when_it_begins_when_it_goes_on_and_when_it_is_over() -> None:
    kept = Repeats(RepeatSettings(window=100, repeat=30))

    assert short(kept.note(finding(0))) == [("g:203.0.113.9", 1, False)]
    assert kept.note(finding(1)) == []
    assert kept.tick(after(29)) == []
    assert short(kept.tick(after(31))) == [("g:203.0.113.9", 2, False)]
    assert kept.tick(after(62)) == []
    assert short(kept.tick(after(102))) == [("g:203.0.113.9", 2, True)]
    assert kept.tick(after(500)) == []


def test_a_finding_after_a_long_pause_ends_the_old_trouble_and_begins_another() -> None:
    kept = Repeats(RepeatSettings(window=100))
    kept.note(finding(0))

    assert short(kept.note(finding(300))) == [("g:203.0.113.9", 1, True), ("g:203.0.113.9", 1, False)]


def test_what_gets_graver_is_told_at_once() -> None:
    kept = Repeats(RepeatSettings())
    kept.note(finding(0))

    (body,) = kept.note(finding(1, severity="high"))
    assert (body["severity_hint"], body["count"]) == ("high", 2)
    assert kept.note(finding(2, severity="low")) == []


def test_a_signature_fired_from_a_thousand_forged_addresses_is_one_trouble_beside_the_first_few() -> None:
    kept = Repeats(RepeatSettings(most=5))
    forged = [f"198.18.{number // 250}.{number % 250}" for number in range(1000)]
    told = [body for at, source in enumerate(forged) for body in kept.note(finding(at / 100, source))]

    assert len(told) == 6
    assert (told[-1]["key"], told[-1]["source_address"]) == ("g", None)
    (joined,) = [one for one in kept.tick(after(70)) if one["key"] == "g"]
    assert joined["count"] == 995
    assert len(joined["source_addresses"]) == 20


def test_ever_new_signatures_hold_no_memory_and_what_gives_way_is_told_as_over() -> None:
    kept = Repeats(RepeatSettings())
    told = [body for number in range(600) for body in kept.note(finding(number / 100, group=f"g{number}"))]

    assert len(kept.saved()) == 500
    gone = [f"g{number}:203.0.113.9" for number in range(100)]
    assert [one["key"] for one in told if one["restored"]] == gone


def test_evidence_keeps_how_it_began_and_how_it_is_now() -> None:
    kept = Repeats(RepeatSettings(repeat=10))
    for second in range(50):
        kept.note(finding(second / 10))
    (body,) = kept.tick(after(20))

    assert [one["at"] for one in body["evidence"]] == [0, 0.1, 0.2, 0.3, 0.4, 4.5, 4.6, 4.7, 4.8, 4.9]
    assert body["evidence_total"] == 50


def test_a_state_is_told_once_and_not_counted_up_and_ends_when_it_is_known_to_be_over() -> None:
    kept = Repeats(RepeatSettings(window=60, repeat=20))

    assert short(kept.hold(finding(0))) == [("g:203.0.113.9", 1, False)]
    for second in range(0, 300, 10):
        assert kept.hold(finding(second)) + kept.tick(after(second)) == []
    assert short(kept.over("g:203.0.113.9")) == [("g:203.0.113.9", 1, True)]
    assert kept.over("g:203.0.113.9") == []


def test_a_restart_goes_on_counting() -> None:
    kept = Repeats(RepeatSettings())
    kept.note(finding(0))
    kept.note(finding(1))
    saved = msgspec.json.decode(msgspec.json.encode(kept.saved()), type=dict[str, Trouble])
    again = Repeats(RepeatSettings(), saved)

    assert short(again.tick(after(61))) == [("g:203.0.113.9", 2, False)]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 90)), max_size=60))
def test_every_finding_is_counted_in_exactly_one_trouble(steps: list[tuple[int, int]]) -> None:
    """Whatever comes when: what the ended troubles counted is together what came."""
    kept = Repeats(RepeatSettings(window=60, repeat=20, most=2))
    at = 0.0
    bodies = []
    for source, pause in steps:
        at += pause
        bodies += kept.tick(after(at))
        bodies += kept.note(finding(at, f"10.0.0.{source}"))
    bodies += kept.tick(after(at + 1000))

    assert sum(body["count"] for body in bodies if body["restored"]) == len(steps)
    assert kept.saved() == {}
