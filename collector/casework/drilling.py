"""The end of a drill for one of its incidents: it is closed, and what is not met is owed no more (pure)."""

from datetime import datetime

from ..errors import PermanentError
from .dossier import Cause, Dossier
from .reconcile import withdraw
from .waking import end_chain


class NoDrillError(PermanentError):
    """The incident is a real one: nothing of a drill ends it."""


def end_for_drill(dossier: Dossier, cause: Cause, now: datetime) -> None:
    """Close an incident of a drill and take back its open clocks, so that nobody is woken for it any more.

    Raises:
        NoDrillError: It is a real incident; its clocks end by receipts alone.
    """
    old = dossier.incident
    if not old.drill:
        raise NoDrillError(f"incident {old.id} is no drill's")
    end_chain(dossier, now)
    for clock in list(dossier.clocks.values()):
        withdraw(dossier, clock, cause, now)
    dossier.cancel(prefix="", now=now)
    if old.state == "closed":
        return
    dossier.change(state="closed", closed_at=now, updated_at=now, plan_pending=False)
    detail = {"from": old.state, "to": "closed", "reason": cause.reason, "drill_ended": True}
    dossier.tell("incident.moved", f"incident:{old.id}", detail, cause.actor)
