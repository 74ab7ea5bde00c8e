from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from collector.escalation import Policy, Step, course
from collector.escalation.policy import Again, Chains

MINUTE = timedelta(minutes=1)
minutes = st.integers(0, 90).map(lambda count: count * MINUTE)
steps = st.builds(
    Step, to=st.sampled_from(["duty", "leader"]), after=minutes, repeat=st.integers(0, 4), every=minutes
)
chains = st.lists(steps, min_size=1, max_size=4).map(
    lambda found: tuple(sorted(found, key=lambda step: step.after))
)


def policy(*chain: Step, times: int = 0, after: timedelta = 15 * MINUTE) -> Policy:
    return Policy(id="p", chains=Chains(default=chain), again=Again(times=times, after=after))


def test_without_repetition_the_course_is_the_chain() -> None:
    chain = (Step(to="duty", after=0 * MINUTE), Step(to="leader", after=10 * MINUTE))

    assert [(saying.step, saying.after) for saying in course(policy(*chain), None)] == [
        (step, step.after) for step in chain
    ]


def test_repetitions_go_on_while_the_next_step_is_taken() -> None:
    duty = Step(to="duty", after=0 * MINUTE, repeat=3, every=5 * MINUTE)
    said = course(policy(duty, Step(to="leader", after=10 * MINUTE)), "II")

    assert [(one.step.to, one.nth, one.after // MINUTE) for one in said] == [
        ("duty", 0, 0),
        ("duty", 1, 5),
        ("duty", 2, 10),
        ("leader", 0, 10),
        ("duty", 3, 15),
    ]


@given(chain=chains, times=st.integers(0, 3), after=minutes)
def test_a_course_only_goes_forward_and_says_every_step_as_often_as_it_should(
    chain: tuple[Step, ...], times: int, after: timedelta
) -> None:
    said = course(policy(*chain, times=times, after=after), None)
    waits = [one.after for one in said]

    assert waits == sorted(waits)
    assert len(said) == (times + 1) * sum(step.repeat + 1 for step in chain)
    assert {one.turn for one in said} == set(range(times + 1))
    for one in said[: len(said) // (times + 1)]:
        assert one.after == one.step.after + one.nth * one.step.every
