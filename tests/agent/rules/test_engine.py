"""A rule says what it finds, and one that finds everything, or takes for ever, is silenced and told of."""

from itertools import chain, repeat

from hypothesis import given
from hypothesis import strategies as st

from agent.rules.engine import MINUTE, REST, Engine
from agent.rules.events import Event
from tests.wire.test_program import rule
from wire.program import Text, There

NC = Text("Image", "ends", ["/nc"])
EVENT = Event("process", {"Image": "/bin/nc"})


def test_only_the_rules_of_an_events_kind_and_service_are_asked() -> None:
    engine = Engine([
        rule(NC, id="process"),
        rule(NC, id="file", log="file"),
        rule(Text("", "has", ["failed"]), id="sshd", log="line", service="sshd"),
        rule(Text("", "has", ["failed"]), id="any", log="line"),
    ])  # fmt: skip

    assert engine.kinds == {"process", "file", "line"}
    assert [match.rule.id for match in engine.matches(EVENT, 0.0)] == ["process"]
    told = engine.matches(Event("line", {}, "cron", "job failed"), 0.0)
    assert [match.rule.id for match in told] == ["any"]
    told = engine.matches(Event("line", {}, "sshd", "Failed password"), 0.0)
    assert [match.rule.id for match in told] == ["sshd", "any"]
    assert engine.matches(Event("auditd", {}), 0.0) == []


@given(gaps=st.lists(st.floats(0.0, 90.0), max_size=60), most=st.integers(1, 4))
def test_every_match_is_said_or_counted_as_kept_back(gaps: list[float], most: int) -> None:
    engine = Engine([rule(There("Image", yes=True))], most=most)
    at, said, kept = 0.0, 0, 0
    for gap in gaps:
        at += gap
        said += len(engine.matches(EVENT, at))
        kept += sum(noise.times for noise in engine.noise(at))
    kept += sum(noise.times for noise in engine.noise(at + MINUTE + 1.0))  # sums of floats fall short of it

    assert said + kept == len(gaps) == engine.matched
    assert said <= most * (at // MINUTE + 1) + most


def test_a_rule_that_takes_too_long_rests_and_is_named_alone() -> None:
    engine: Engine
    # The look as a whole, then each rule by itself: the second one is the slow one.
    times = chain([0.0, 0.2, 1.0, 1.001, 2.0, 2.2], repeat(3.0))
    engine = Engine([rule(NC, id="quick"), rule(NC, id="slow")], clock=lambda: next(times))

    assert len(engine.matches(EVENT, 0.0)) == 2
    (noise,) = engine.noise(1.0)
    assert (noise.rule, noise.times) == ("slow", 0)
    assert [match.rule.id for match in engine.matches(EVENT, 1.0)] == ["quick"]
    assert len(engine.matches(EVENT, REST)) == 2
