"""Rows follow the law at any time: whatever is reported, filed or passes, they say what `explain` answers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.casework.case import case_of
from collector.casework.dossier import Cause, Dossier
from collector.casework.firing import REGRADE, due_of, fire
from collector.casework.grading import grade
from collector.casework.waking import Setting
from collector.incident import merge_facts
from collector.regimes import explain
from collector.store.proofs import Proof
from wire.vocabulary import rank

if TYPE_CHECKING:
    from tests.conftest import Office

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SINCE = st.integers(0, 300).map(lambda ago: (NINE - timedelta(minutes=ago)).isoformat())
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "homepage_tampered_since": SINCE,
        "portal_down_since": SINCE,
        "views": st.integers(0, 10**7),
        "loss_yuan": st.integers(0, 10**9),
        "data_threat": st.sampled_from(["none", "fairly_serious", "serious", "especially_serious"]),
        "declared_level": st.sampled_from(["I", "II", "III", "IV"]),
        "crime_suspected": st.just(value=True),
    },
)
STEPS = st.one_of(
    st.tuples(st.just("facts"), FACTS),
    st.tuples(st.just("wait"), st.integers(0, 600)),
    st.tuples(st.just("file"), st.tuples(st.integers(0, 9), st.booleans(), st.booleans())),
    st.tuples(st.just("handle"), st.none()),
)


class Matter:
    """An incident to which things happen, without a database."""

    def __init__(self, office: "Office", setting: Setting, dossier: Dossier) -> None:
        self.office = office
        self.setting = setting
        self.dossier = dossier
        self.now = NINE
        self.proofs: list[Proof] = []

    def happens(self, what: str, detail: Any) -> None:  # noqa: ANN401 - by the kind of step
        getattr(self, what)(detail)
        grade(
            self.dossier,
            self.proofs,
            self.office.regimes,
            setting=self.setting,
            cause=Cause(),
            now=self.now,
        )

    def facts(self, new: dict[str, Any]) -> None:
        self.dossier.change(facts=merge_facts(self.dossier.incident.facts, new))

    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        for alarm in due_of(self.dossier, self.now):
            if alarm.kind == REGRADE:
                self.dossier.end(alarm, "fired", self.now)
        self.happens("facts", {})
        fire(self.dossier, self.setting, self.now)

    def file(self, detail: tuple[int, bool, bool]) -> None:
        which, arrived, complete = detail
        clocks = list(self.dossier.clocks.values())
        clock = clocks[which % len(clocks)]
        receipt = self.now if arrived else None
        proof = Proof(
            id=str(len(self.proofs)), clock=clock.id, at=self.now, receipt_at=receipt, complete=complete
        )
        self.proofs.append(proof)

    def handle(self, _: None) -> None:
        times = self.dossier.incident.times
        self.dossier.change(times={"handled": self.now.isoformat(), **times})

    def answered(self) -> set[tuple[object, ...]]:
        clocks = self.dossier.clocks.values()
        names = {clock.id: clock.obligation for clock in clocks}
        case = case_of(self.dossier.incident, self.office.registry, self.proofs, names)
        answer = explain(case, self.office.regimes, self.now)
        return {(one.id, one.anchor_at, one.due_at, one.target_at, one.state) for one in answer.obligations}

    def rows(self) -> set[tuple[object, ...]]:
        return {
            (one.obligation, one.anchor_at, one.due_at, one.target_at, one.state_at(self.now))
            for one in self.dossier.clocks.values()
        }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    unit=st.sampled_from([("county", "portal"), ("power", "grid"), ("lonely", None)]),
    steps=st.lists(STEPS, max_size=8),
)
def test_rows_equal_the_law_and_only_get_earlier_and_graver(
    office: "Office",
    setting: Setting,
    opened: Callable[..., Dossier],
    unit: tuple[str, str | None],
    steps: list[tuple[str, Any]],
) -> None:
    matter = Matter(office, setting, opened(unit=unit[0], asset=unit[1]))
    for what, detail in steps:
        level = matter.dossier.incident.level
        due = {clock.id: clock.due_at for clock in matter.dossier.clocks.values()}
        matter.happens(what, detail)

        assert matter.rows() == matter.answered()
        assert level is None or rank(matter.dossier.incident.level or "IV") >= rank(level)
        for key, before in due.items():
            after = matter.dossier.clocks[key].due_at
            assert before is None or (after is not None and after <= before)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(steps=st.lists(STEPS, max_size=8))
def test_a_running_clock_always_has_an_alarm_ahead(
    office: "Office", setting: Setting, opened: Callable[..., Dossier], steps: list[tuple[str, Any]]
) -> None:
    matter = Matter(office, setting, opened())
    for what, detail in steps:
        matter.happens(what, detail)
        armed = {alarm.clock for alarm in matter.dossier.armed.values()}

        for clock in matter.dossier.clocks.values():
            if clock.state in {"open", "overdue"}:
                assert clock.id in armed
            if clock.state in {"met", "met_late", "not_yet"}:
                assert clock.id not in armed


def test_the_moment_at_which_time_makes_it_graver_is_an_alarm(opened: Callable[..., Dossier]) -> None:
    dossier = opened()
    (alarm,) = [alarm for alarm in dossier.armed.values() if alarm.kind == REGRADE]

    assert (dossier.incident.level, alarm.at) == ("IV", NINE + timedelta(minutes=30))


def test_a_level_stands_with_its_reasons_in_the_journal(opened: Callable[..., Dossier]) -> None:
    dossier = opened(facts={"declared_level": "II"})
    (entry,) = [entry for entry in dossier.entries if entry.action == "incident.graded"]

    assert (entry.detail["from"], entry.detail["level"]) == (None, "II")
    (reason,) = entry.detail["reasons"]
    assert reason["level"] == "II"
    assert reason["source"]
    assert reason["verified"] in {True, False}


def test_by_itself_a_level_never_falls_but_by_a_person_it_may(
    office: "Office", setting: Setting, opened: Callable[..., Dossier]
) -> None:
    dossier = opened(facts={"declared_level": "II"})
    dossier.change(facts={})
    grade(dossier, (), office.regimes, setting=setting, cause=Cause(), now=NINE)
    assert dossier.incident.level == "II"
    assert [reason["level"] for reason in dossier.incident.reasons] == ["II"]

    person = Cause(actor="person:wang", reason="the declaration was for another portal")
    grade(dossier, (), office.regimes, setting=setting, cause=person, now=NINE)
    assert dossier.incident.level == "IV"
    assert dossier.incident.reasons == []
    states = {clock.obligation: clock.state for clock in dossier.clocks.values()}
    assert states["cn-cac-2025/first"] == "withdrawn"
    assert states["cn-informatization/report"] == "no_number"


def test_what_a_host_with_a_clock_ahead_says_has_begun_is_looked_at_when_it_has(
    opened: Callable[..., Dossier], setting: Setting, office: "Office"
) -> None:
    begins = NINE + timedelta(minutes=7)
    matter = Matter(office, setting, opened(facts={"homepage_tampered_since": begins.isoformat()}))

    def looked_at() -> list[datetime]:
        return [one.at for one in matter.dossier.armed.values() if one.kind == REGRADE]

    assert looked_at() == [begins]
    matter.wait(7)
    assert looked_at() == [begins + timedelta(minutes=30)]
    matter.wait(30)
    assert (matter.dossier.incident.level, looked_at()) == ("III", [])
