"""A chain laid out in time: every saying of every step, repetitions and rounds included (pure).

::

    duty 0m, again every 5m twice   |x....x....x
    leader 15m                      |...............x
    anew once, 15m after the last   |                              x....x....x ...

A saying has a number, its place in this order. An alarm carries the number, so the course of a policy is
never stored.

>>> from datetime import timedelta
>>> from .policy import read_policy
>>> policy = read_policy('''
... id: small
... chains: {default: [{to: duty, after: 0s, repeat: 2, every: 5m}, {to: leader, after: 8m}]}
... again: {times: 1, after: 10m}
... ''', "small.yaml")
>>> [f"{saying.step.to} {saying.after // timedelta(minutes=1)}" for saying in course(policy, None)]
['duty 0', 'duty 5', 'leader 8', 'duty 10', 'duty 20', 'duty 25', 'leader 28', 'duty 30']
"""

from datetime import timedelta

from msgspec import Struct

from wire.vocabulary import Level

from .policy import Policy, Step


class Saying(Struct, frozen=True, kw_only=True):
    """One time that a step is said.

    Fields:
        after: How long after the chain began.
        nth: 0 the first time; counts its repetitions.
        turn: 0 in the first round of the chain.
    """

    step: Step
    after: timedelta
    nth: int = 0
    turn: int = 0


def course(policy: Policy, level: Level | None) -> tuple[Saying, ...]:
    """Return what is said for an incident of this level while nobody takes it on, earliest first."""
    once = [
        Saying(step=step, after=step.after + nth * step.every, nth=nth)
        for step in policy.chain(level)
        for nth in range(step.repeat + 1)
    ]
    once.sort(key=lambda saying: saying.after)
    length = once[-1].after + policy.again.after
    return tuple(
        Saying(step=saying.step, after=saying.after + turn * length, nth=saying.nth, turn=turn)
        for turn in range(policy.again.times + 1)
        for saying in once
    )
