"""An acknowledgement holds as long as something is done; then the chain goes on (pure).

::

    open ──acknowledged──> alarm progress_<n>, n: the saying of the course that was next
                               │ due
             a person has done something since ──> the alarm moves to that moment plus the policy's time
             nobody has                        ──> open again, saying n at once, and on from there
"""

from datetime import datetime

from ..escalation import course
from ..store.clocks import Alarm
from .dossier import Dossier
from .waking import CHAIN, PROGRESS, Setting, begin_chain, end_chain, fire_step


def taken_on(dossier: Dossier, setting: Setting, now: datetime) -> None:
    """End the chain: enough people have taken the incident on. Without progress it goes on later."""
    steps = [int(alarm.kind.rpartition("_")[2]) for alarm in _armed(dossier, CHAIN)]
    end_chain(dossier, now)
    within = setting.policy.progress_within(dossier.incident.level)
    if within is not None:
        _watch(dossier, min(steps, default=-1), now + within, now)


def lapse(dossier: Dossier, alarm: Alarm, setting: Setting, now: datetime) -> None:
    """Look whether there was progress since; if not, the acknowledgement holds no more."""
    incident = dossier.incident
    within = setting.policy.progress_within(incident.level)
    step = int(alarm.kind.rpartition("_")[2])
    dossier.end(alarm, "fired", now)
    if incident.state != "acknowledged" or within is None:
        return
    if dossier.progress_at is not None and dossier.progress_at + within > now:
        _watch(dossier, step, dossier.progress_at + within, now)
        return
    why = setting.speaker(incident.unit).lapsed(incident, within)
    dossier.change(state="open", acknowledged_by=None, updated_at=now)
    detail = {
        "from": "acknowledged",
        "to": "open",
        "reason": why,
        "acknowledged_by": incident.acknowledged_by,
    }
    dossier.tell("incident.moved", f"incident:{incident.id}", detail)
    _go_on(dossier, step, setting, now, why)


def _go_on(dossier: Dossier, step: int, setting: Setting, now: datetime, why: str) -> None:
    begin_chain(dossier, setting, now)
    (first,) = _armed(dossier, CHAIN)
    if 0 < step < len(course(setting.policy, dossier.incident.level)):
        dossier.end(first, "cancelled", now)
        kind = f"{CHAIN}_{step}"
        first = dossier.arm(clock="", generation=first.generation, kind=kind, at=now, now=now)
    fire_step(dossier, first, setting, now, why)


def _watch(dossier: Dossier, step: int, at: datetime, now: datetime) -> None:
    generation = dossier.generations[PROGRESS] = dossier.generations.get(PROGRESS, 0) + 1
    kind = f"{PROGRESS}_{max(step, 0)}"
    dossier.arm(clock="", generation=generation, kind=kind, at=at, now=now)


def _armed(dossier: Dossier, prefix: str) -> list[Alarm]:
    return [alarm for alarm in dossier.armed.values() if alarm.kind.startswith(prefix)]
