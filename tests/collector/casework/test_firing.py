from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from collector.casework.dossier import Dossier
from collector.casework.firing import due_of, fire
from collector.casework.waking import Setting
from collector.store.clocks import Clock

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def first(dossier: Dossier) -> Clock:
    return next(clock for clock in dossier.clocks.values() if clock.stage == "first")


def armed(dossier: Dossier, clock: Clock) -> list[str]:
    return [alarm.kind for alarm in dossier.armed.values() if alarm.clock == clock.id]


def test_what_is_not_due_stays_armed(opened: Callable[..., Dossier], setting: Setting) -> None:
    dossier = opened()
    fire(dossier, setting, NINE + timedelta(minutes=29))

    assert due_of(dossier, NINE + timedelta(minutes=29)) == []
    assert armed(dossier, *dossier.clocks.values()) == ["half", "four_fifths", "target"]


def test_of_a_clock_that_was_not_watched_only_the_latest_alarm_sounds(
    opened: Callable[..., Dossier], setting: Setting
) -> None:
    dossier = opened(facts={"declared_level": "III"})
    clock = first(dossier)
    sounded = [alarm.kind for alarm in fire(dossier, setting, NINE + 5 * HOUR) if alarm.clock == clock.id]

    assert sounded == ["due"]
    assert first(dossier).state == "overdue"
    assert armed(dossier, clock) == ["overdue_5"]


def test_at_the_very_moment_it_is_due_a_clock_is_open_still(
    opened: Callable[..., Dossier], setting: Setting
) -> None:
    dossier = opened(facts={"declared_level": "III"})
    now = NINE + 4 * HOUR
    fire(dossier, setting, now)

    assert first(dossier).state_at(now) == "open"
    assert first(dossier).state_at(now + timedelta(microseconds=1)) == "overdue"


def test_an_overdue_clock_repeats_and_repeats(opened: Callable[..., Dossier], setting: Setting) -> None:
    dossier = opened(facts={"declared_level": "III"})
    sounded: list[str] = []
    for quarter in range(16, 20):
        now = NINE + quarter * timedelta(minutes=15)
        sounded += [alarm.kind for alarm in fire(dossier, setting, now) if alarm.clock == first(dossier).id]

    assert sounded == ["due", "overdue_1", "overdue_2", "overdue_3"]


def test_a_clock_that_was_met_meanwhile_is_silent(opened: Callable[..., Dossier], setting: Setting) -> None:
    dossier = opened(facts={"declared_level": "III"})
    dossier.put(replace(first(dossier), state="met"))
    sounded = fire(dossier, setting, NINE + 4 * HOUR)

    assert first(dossier).id not in {alarm.clock for alarm in sounded}
    assert armed(dossier, first(dossier)) == []


def test_a_target_that_passes_makes_nothing_overdue(opened: Callable[..., Dossier], setting: Setting) -> None:
    dossier = opened()
    fire(dossier, setting, NINE + 2 * HOUR)
    (clock,) = dossier.clocks.values()

    assert (clock.state, armed(dossier, clock)) == ("no_number", [])


def test_firing_twice_at_one_time_sounds_once(opened: Callable[..., Dossier], setting: Setting) -> None:
    dossier = opened()
    once = fire(dossier, setting, NINE)

    assert [alarm.kind for alarm in once] == ["escalate_0"]
    assert fire(dossier, setting, NINE) == []
