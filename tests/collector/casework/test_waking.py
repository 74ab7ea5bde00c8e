from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from collector.casework.dossier import Dossier
from collector.casework.waking import CHAIN, Setting, begin_chain, end_chain, fire_clock, fire_step
from collector.escalation import Roster, read_policy
from collector.escalation.rota import Rotation, TimeOfDay
from collector.store.clocks import Alarm

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def step(dossier: Dossier) -> Alarm:
    (alarm,) = [alarm for alarm in dossier.armed.values() if alarm.kind.startswith(CHAIN)]
    return alarm


def told(dossier: Dossier) -> list[str]:
    return [notice.key.split("/", 1)[1] for notice in dossier.notices]


def holes(dossier: Dossier) -> list[str]:
    return [entry.detail["what"] for entry in dossier.entries if entry.action == "audit.finding"]


def test_a_step_wakes_its_people_and_arms_the_next(opened: Callable[..., Dossier], setting: Setting) -> None:
    dossier = opened(facts={"declared_level": "III"})
    fire_step(dossier, step(dossier), setting, NINE)

    assert told(dossier) == ["escalate_0/1/wang/webhook"]
    assert (step(dossier).kind, step(dossier).at) == ("escalate_1", NINE + 15 * MINUTE)


def test_the_last_step_arms_nothing(opened: Callable[..., Dossier], setting: Setting) -> None:
    dossier = opened()
    fire_step(dossier, step(dossier), setting, NINE)
    fire_step(dossier, step(dossier), setting, NINE + 30 * MINUTE)

    assert told(dossier) == ["escalate_0/1/wang/webhook", "escalate_1/1/zhao/webhook"]
    assert not [alarm for alarm in dossier.armed.values() if alarm.kind.startswith(CHAIN)]


def test_a_step_that_reaches_nobody_does_not_cost_its_wait(
    opened: Callable[..., Dossier], setting: Setting
) -> None:
    dossier = opened(unit="lonely", asset=None, facts={"declared_level": "III"})
    fire_step(dossier, step(dossier), setting, NINE)

    assert told(dossier) == ["escalate_1/1/qian/webhook"]
    assert holes(dossier) == ["nobody is registered as duty of lonely"]
    assert (step(dossier).kind, step(dossier).at) == ("escalate_2", NINE + 30 * MINUTE)


def test_where_nobody_at_all_is_registered_every_hole_is_named(
    opened: Callable[..., Dossier], setting: Setting
) -> None:
    dossier = opened(unit="gone", asset=None)
    fire_step(dossier, step(dossier), setting, NINE)

    assert told(dossier) == []
    assert holes(dossier) == [
        "nobody is registered as duty of gone",
        "nobody is registered as leader of gone",
    ]


def test_an_acknowledged_incident_hears_of_a_higher_level_once(
    opened: Callable[..., Dossier], setting: Setting
) -> None:
    dossier = opened(facts={"declared_level": "III"})
    dossier.change(state="acknowledged")
    begin_chain(dossier, setting, NINE)
    fire_step(dossier, step(dossier), setting, NINE)

    assert told(dossier) == ["escalate_0/2/wang/webhook"]
    assert not [alarm for alarm in dossier.armed.values() if alarm.kind.startswith(CHAIN)]


def test_a_new_chain_ends_the_old_one(opened: Callable[..., Dossier], setting: Setting) -> None:
    dossier = opened()
    begin_chain(dossier, setting, NINE)

    assert step(dossier).generation == 2


def test_an_ended_chain_wakes_nobody(opened: Callable[..., Dossier]) -> None:
    dossier = opened()
    end_chain(dossier, NINE)

    assert not [alarm for alarm in dossier.armed.values() if alarm.kind.startswith(CHAIN)]


def test_a_step_that_a_shorter_policy_no_longer_has_ends_the_chain(
    opened: Callable[..., Dossier], setting: Setting
) -> None:
    dossier = opened()
    fire_step(dossier, step(dossier), setting, NINE)
    short = read_policy("id: default\nchains: {default: [{to: duty, after: 0s}]}\n", "own.yaml")
    fire_step(dossier, step(dossier), replace(setting, policy=short), NINE + 30 * MINUTE)

    assert told(dossier) == ["escalate_0/1/wang/webhook"]


@pytest.mark.parametrize(
    ("kind", "people"),
    [("half", ["wang"]), ("four_fifths", ["wang", "zhao"]), ("due", ["wang", "zhao", "li"])],
)
def test_the_later_the_alarm_the_more_people_hear_it(
    opened: Callable[..., Dossier], setting: Setting, kind: str, people: list[str]
) -> None:
    dossier = opened()
    (clock,) = dossier.clocks.values()
    alarm = dossier.arm(clock=clock.id, generation=7, kind=kind, at=NINE, now=NINE)
    fire_clock(dossier, clock, alarm, passed=(), setting=setting, now=NINE)

    assert told(dossier) == [f"{clock.id}:{kind}/7/{person}/webhook" for person in people]


def test_an_alarm_for_a_duty_that_nobody_has_goes_to_who_stands_above(
    opened: Callable[..., Dossier], setting: Setting, office: "Office"
) -> None:
    del office
    dossier = opened(unit="lonely", asset=None)
    (clock,) = dossier.clocks.values()
    alarm = dossier.arm(clock=clock.id, generation=7, kind="half", at=NINE, now=NINE)
    fire_clock(dossier, clock, alarm, passed=(), setting=setting, now=NINE)

    assert told(dossier) == [f"{clock.id}:half/7/qian/webhook"]
    assert holes(dossier) == ["nobody is registered as duty of lonely"]


def test_the_journal_says_who_was_told_how_late_and_what_was_passed(
    opened: Callable[..., Dossier], setting: Setting
) -> None:
    dossier = opened()
    (clock,) = dossier.clocks.values()
    half = dossier.arm(clock=clock.id, generation=7, kind="half", at=NINE, now=NINE)
    target = dossier.arm(clock=clock.id, generation=7, kind="target", at=NINE, now=NINE)
    fire_clock(dossier, clock, target, passed=[half], setting=setting, now=NINE + MINUTE)
    entry = dossier.entries[-1]

    assert (entry.action, entry.subject) == ("clock.fired", f"alarm:{target.id}")
    assert (entry.detail["told"], entry.detail["late_by_seconds"], entry.detail["passed"]) == (
        ["wang/webhook", "zhao/webhook"],
        60.0,
        ["half"],
    )


LOUD = """
id: default
chains:
  default:
    - {to: duty, after: 0s, repeat: 2, every: 5m}
    - {to: police, after: 7m}
    - {to: authority, after: 12m}
again: {times: 1, after: 20m}
bodies:
  police: {matters: [{facts: [crime_suspected]}]}
  informatization: {matters: [{}]}
"""


def minutes(dossier: Dossier, setting: Setting, until: int) -> list[str]:
    """Who is told in which minute, if nobody acknowledges."""
    said: list[str] = []
    for minute in range(until + 1):
        now = NINE + minute * MINUTE
        for alarm in [one for one in dossier.armed.values() if one.at <= now and one.kind.startswith(CHAIN)]:
            before = len(dossier.notices)
            fire_step(dossier, alarm, setting, now)
            said += [f"{minute} {notice.person}" for notice in dossier.notices[before:]]
    return said


def test_a_step_is_said_again_and_the_chain_begins_anew(
    opened: Callable[..., Dossier], setting: Setting
) -> None:
    loud = replace(setting, policy=read_policy(LOUD, "loud.yaml"))
    dossier = opened()
    begin_chain(dossier, loud, NINE)

    assert minutes(dossier, loud, 60) == [
        *("0 wang", "5 wang", "10 wang", "12 li"),
        *("32 wang", "37 wang", "42 wang", "44 li"),
    ]
    assert holes(dossier) == []


def test_a_body_is_told_of_its_own_matters_and_nobody_for_it_is_a_hole(
    opened: Callable[..., Dossier], setting: Setting
) -> None:
    loud = replace(setting, policy=read_policy(LOUD, "loud.yaml"))
    dossier = opened(facts={"crime_suspected": True})
    begin_chain(dossier, loud, NINE)

    # the hole at minute 7 costs no wait: the wardens' third call is brought forward
    assert minutes(dossier, loud, 13) == ["0 wang", "5 wang", "7 wang", "12 li"]
    assert holes(dossier) == ["nobody is registered as police of county"] * 2


def test_the_roster_says_who_is_woken_at_the_time(opened: Callable[..., Dossier], setting: Setting) -> None:
    week = Rotation(people=("zhao",), since=date(2026, 3, 2), handover=TimeOfDay(9, 0))
    county = Roster(unit="county", timezone="Asia/Shanghai", rotations=(week,))
    rostered = replace(setting, rosters={"county": county})
    dossier = opened()
    fire_step(dossier, step(dossier), rostered, NINE - MINUTE)
    begin_chain(dossier, rostered, NINE)
    fire_step(dossier, step(dossier), rostered, NINE)

    assert told(dossier) == ["escalate_1/1/zhao/webhook", "escalate_0/2/zhao/webhook"]
    assert holes(dossier) == ["nobody is registered as duty of county"]
