"""What a person's word makes final: a level that rests on unverified figures, a clock missed in doubt (pure).

The clocks do not wait for it: a proposed level has opened them, and a clock in doubt warns and repeats.
"""

from datetime import datetime

from msgspec.structs import replace

from ..errors import PermanentError
from ..incident import IllegalMoveError
from ..store.clocks import clock_values
from .dossier import Cause, Dossier


class NotAPersonError(PermanentError):
    """Only a named person's word counts here."""


def confirm_level(dossier: Dossier, level: str, cause: Cause, now: datetime) -> None:
    """Make the proposed level final.

    Args:
        dossier: In work.
        level: The one the person has seen; it may have risen since.
        cause: Who, and what they say to it.
        now: The time.

    Raises:
        NotAPersonError: The actor is no named person.
        IllegalMoveError: The level waits for no word, or is another one by now.
    """
    _check_person(cause)
    incident = dossier.incident
    if not incident.proposed or incident.level is None:
        raise IllegalMoveError(f"level {incident.level} is final; only a proposed level is confirmed")
    if level != incident.level:
        raise IllegalMoveError(f"level {level} is to be confirmed, but {incident.level} is proposed by now")
    dossier.change(proposed=False, confirmed_level=incident.level, confirmed_by=cause.actor, updated_at=now)
    detail = {
        "from": incident.level,
        "level": incident.level,
        "level_by": incident.level_by,
        "proposed": False,
        "confirmed": True,
        "reason": cause.reason,
    }
    dossier.tell("incident.graded", f"incident:{incident.id}", detail, cause.actor)


def confirm_missed(dossier: Dossier, key: str, cause: Cause) -> None:
    """Write down that a clock in doubt was missed.

    Raises:
        NotAPersonError: The actor is no named person.
        IllegalMoveError: The incident has no such clock in doubt.
    """
    _check_person(cause)
    clock = dossier.clocks.get(key)
    if clock is None or clock.state != "open" or clock.doubted_at is None:
        state = clock.state if clock else "not this incident's"
        raise IllegalMoveError(f"clock {key} is {state}; only one that is overdue in doubt is confirmed")
    missed = replace(clock, state="overdue", doubted_at=None)
    dossier.put(missed)
    detail = {"from": clock_values(clock), "to": clock_values(missed), "reason": cause.reason}
    dossier.tell("clock.moved", f"clock:{key}", detail, cause.actor)


def _check_person(cause: Cause) -> None:
    if not cause.actor.startswith(("user:", "person:")):
        raise NotAPersonError(f"found the actor {cause.actor!r}, expected a named person: it is their word")
