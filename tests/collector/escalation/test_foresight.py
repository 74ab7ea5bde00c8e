"""The preview says what the running chain will do: both are held against each other on random policies."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.casework.dossier import Dossier
from collector.casework.findings import new_incident
from collector.casework.firing import fire
from collector.casework.waking import CHAIN, Setting, begin_chain
from collector.escalation import Matter, OnDuty, Policy, Roster, Step, read_policy
from collector.escalation.foresight import Moment, foresee
from collector.escalation.matter import Bodies, Competence, Condition
from collector.escalation.policy import Again, Chains
from collector.escalation.rota import Override, Rotation, TimeOfDay
from collector.registry import read_registry

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OFFICE = Path(__file__).parents[2] / "golden" / "office.yaml"
REGISTRY = read_registry(OFFICE.read_text(), OFFICE.name)


def foreseen(
    policy: Policy, *rosters: Roster, unit: str = "county", matter: Matter | None = None
) -> list[Moment]:
    by_unit = {one.unit: one for one in rosters}
    return foresee(
        policy,
        matter or Matter(klass="NAWEBMOD"),
        unit,
        NINE,
        lambda at: OnDuty(registry=REGISTRY, rosters=by_unit, at=at),
    )


def test_the_county_wakes_duty_then_leader_then_superior() -> None:
    shipped = Path(__file__).parents[3] / "configs" / "escalation" / "default.yaml"
    policy = read_policy(shipped.read_text(), shipped.name)
    moments = foreseen(policy, matter=Matter(klass="NAWEBMOD", level="III"))

    assert [((one.at - NINE) // MINUTE, one.to, one.calls[0].person) for one in moments] == [
        (0, "duty", "wang"),
        (15, "leader", "zhao"),
        (30, "superior", "li"),
    ]


def test_a_hole_is_shown_and_costs_no_wait() -> None:
    policy = read_policy(
        "id: p\nchains: {default: [{to: duty, after: 0s}, {to: leader, after: 30m}]}\n", "p.yaml"
    )
    moments = foreseen(policy, unit="lonely")

    assert [(one.at, bool(one.calls), one.holes) for one in moments] == [
        (NINE, False, ("nobody is registered as duty of lonely",)),
        (NINE, True, ()),
    ]


minutes = st.integers(0, 40).map(lambda count: count * MINUTE)
roles = st.sampled_from(["duty", "leader", "superior", "authority", "police", "informatization"])
steps = st.builds(Step, to=roles, after=minutes, repeat=st.integers(0, 2), every=st.just(5 * MINUTE))
policies = st.builds(
    lambda chain, times, matters: Policy(
        id="p",
        chains=Chains(default=tuple(sorted(chain, key=lambda step: step.after))),
        again=Again(times=times, after=10 * MINUTE),
        bodies=Bodies(police=Competence(matters=matters), informatization=Competence(matters=matters)),
    ),
    st.lists(steps, min_size=1, max_size=4),
    st.integers(0, 1),
    st.sampled_from([(), (Condition(),), (Condition(classes=("MP",)),)]),
)
gaps = st.lists(st.integers(0, 60), min_size=0, max_size=2)


def roster(starts: list[int]) -> Roster:
    """Zhao has the week; every gap hands ten minutes over to somebody of whom nothing is known."""
    week = Rotation(people=("zhao",), since=date(2026, 3, 2), handover=TimeOfDay(9, 0))
    away = [
        Override(start=NINE + one * MINUTE, until=NINE + (one + 10) * MINUTE, people=("ghost",))
        for one in starts
    ]
    return Roster(unit="county", timezone="Asia/Shanghai", rotations=(week,), overrides=tuple(away))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(policy=policies, starts=gaps, unit=st.sampled_from(["county", "lonely", "city"]))
def test_what_is_foreseen_is_what_the_running_chain_does(
    office: "Office", policy: Policy, starts: list[int], unit: str
) -> None:
    rosters = {"county": roster(starts)}
    setting = Setting(registry=REGISTRY, policy=policy, rosters=rosters)
    dossier = Dossier(new_incident(office.finding(NINE, unit=unit, asset=None), NINE, NINE))
    begin_chain(dossier, setting, NINE)
    told: list[tuple[datetime, str, str]] = []
    while due := min((alarm.at for alarm in dossier.armed.values()), default=None):
        before = len(dossier.notices)
        fire(dossier, setting, due)
        told += [(due, one.payload["kind"], str(one.person)) for one in dossier.notices[before:]]

    assert told == [
        (moment.at, f"{CHAIN}_{moment.saying}", call.person)
        for moment in foreseen(policy, *rosters.values(), unit=unit)
        for call in moment.calls
    ]
