"""What happens to an incident when alarms of it are due (pure).

::

    regrade        -> the caller has graded anew before it comes here; the alarm is only marked
    clock alarms   -> of each clock the latest due one sounds, the ones it passes are cancelled;
                      `due` makes the clock overdue and arms the repetition; where the host clock jumped over
                      the due time, that it was missed waits for a person's word
    escalate_<n>   -> the people of the step are woken, the next step is armed
    progress_<n>   -> the acknowledgement lapses unless somebody has done something
"""

from collections import defaultdict
from datetime import datetime

from msgspec.structs import replace

from ..store.clocks import Alarm
from .alarms import RUNNING, last_due, overdue_after
from .dossier import Dossier
from .lapsing import lapse
from .waking import CHAIN, PROGRESS, Setting, fire_clock, fire_step

REGRADE = "regrade"


def due_of(dossier: Dossier, now: datetime) -> list[Alarm]:
    """Return the armed alarms that are due, earliest first."""
    due = [alarm for alarm in dossier.armed.values() if alarm.at <= now]
    return sorted(due, key=lambda alarm: (alarm.at, alarm.id)) if len(due) > 1 else due


def fire(dossier: Dossier, setting: Setting, now: datetime) -> list[Alarm]:
    """Do what the due alarms of an incident ask for; return those that sounded."""
    sounded: list[Alarm] = []
    by_clock: dict[str, list[Alarm]] = defaultdict(list)
    for alarm in due_of(dossier, now):
        if alarm.id not in dossier.armed:
            continue  # an earlier one of this moment has ended it
        if alarm.clock:
            by_clock[alarm.clock].append(alarm)
        elif alarm.kind.startswith(CHAIN):
            fire_step(dossier, alarm, setting, now)
            sounded.append(alarm)
        elif alarm.kind.startswith(PROGRESS):
            lapse(dossier, alarm, setting, now)
            sounded.append(alarm)
        else:
            dossier.end(alarm, "fired", now)
            sounded.append(alarm)
    for clock, alarms in by_clock.items():
        sounded += _fire_clock(dossier, clock, alarms, setting, now)
    return sounded


def _fire_clock(
    dossier: Dossier, key: str, alarms: list[Alarm], setting: Setting, now: datetime
) -> list[Alarm]:
    alarm = last_due(alarms)
    passed = [one for one in alarms if one is not alarm]
    for one in passed:
        dossier.end(one, "cancelled", now)
    clock = dossier.clocks.get(key)
    if clock is None or clock.state not in RUNNING:
        dossier.end(alarm, "cancelled", now)
        return []
    fire_clock(dossier, clock, alarm, passed=passed, setting=setting, now=now)
    if clock.due_at is not None and now >= clock.due_at and alarm.kind.startswith(("due", "overdue_")):
        doubted = setting.doubts(clock)
        missed = {"doubted_at": clock.doubted_at or now} if doubted else {"state": "overdue"}
        dossier.put(replace(clock, **missed))
        kind, at = overdue_after(clock.due_at, setting.policy.overdue_every, now)
        dossier.arm(clock=clock.id, generation=clock.generation, kind=kind, at=at, now=now)
    return [alarm]
