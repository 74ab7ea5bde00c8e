"""Who would be woken when, if an incident began at a moment and nobody acknowledged it (pure).

It walks the policy's course as `casework.waking` does: what reaches nobody is passed in the same moment, what
is no matter of a body keeps its place in time.
"""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from .course import course
from .matter import Matter
from .policy import Policy, To
from .roster import Call, Directory, wake


class Moment(Struct, frozen=True, kw_only=True):
    """One saying of the chain.

    Fields:
        saying: Its number in the course.
        nth, turn: Which repetition in which round, from 0.
        calls: Who is woken over which channel; empty: nobody, and `holes` say why.
    """

    at: datetime
    saying: int
    to: To
    nth: int
    turn: int
    calls: tuple[Call, ...]
    holes: tuple[str, ...]


def foresee(
    policy: Policy, matter: Matter, unit: str, began: datetime, directory: Callable[[datetime], Directory]
) -> list[Moment]:
    """Return the sayings in their order; those of bodies whose matter it is not are left out.

    Args:
        policy: The chains.
        matter: What the incident would be about, with its level.
        unit: Whose incident it would be.
        began: When the chain would begin.
        directory: Whom roles mean at a moment.
    """
    moments: list[Moment] = []
    hurried = began
    passing = False
    for number, saying in enumerate(course(policy, matter.level)):
        at = hurried if passing else max(began + saying.after, hurried)
        roles = policy.means(saying.step.to, matter)
        found = [wake(directory(at), unit, role, saying.step.channels) for role in roles]
        calls = dict.fromkeys(call for one in found for call in one.calls)
        holes = dict.fromkeys(hole for one in found for hole in one.holes)
        if roles:
            moments.append(
                Moment(
                    at=at,
                    saying=number,
                    to=saying.step.to,
                    nth=saying.nth,
                    turn=saying.turn,
                    calls=tuple(calls),
                    holes=tuple(holes),
                )
            )
        hurried, passing = at, bool(holes) and not calls
    return moments
