"""Who is told: notices of clock alarms, and the escalation chain from step to step (pure).

The chain is one armed alarm at a time, `escalate_<n>`; firing it arms the next. A step that reaches nobody
does not cost its wait: the next step is taken in the same moment, and the hole in the roster is a finding.
"""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from ..escalation import Call, Directory, Policy, wake
from ..escalation.policy import To
from ..registry import Registry
from ..store.clocks import Alarm, Clock
from ..store.notice_batch import NewNotice
from .dossier import Dossier
from .texts import Outage, Speaker

CHAIN = "escalate"
_UP: tuple[To, ...] = ("duty", "leader", "superior")


class Setting(Struct, frozen=True, kw_only=True):
    """What the rules look things up in, as of the last reload.

    Fields:
        language: Of notices.
        outage: The last time nobody was running, where it explains late alarms.
    """

    registry: Registry
    policy: Policy
    language: str = "zh"
    outage: Outage | None = None

    def speaker(self, unit: str) -> Speaker:
        """Return who writes for a unit: in its own time zone where it is known."""
        found = self.registry.unit(unit)
        return Speaker(self.language, ZoneInfo(found.timezone if found else "UTC"))


def begin_chain(dossier: Dossier, setting: Setting, now: datetime) -> None:
    """Start the chain of the incident's level; one that was running ends."""
    dossier.cancel(prefix=CHAIN, now=now)
    generation = dossier.generations[CHAIN] = dossier.generations.get(CHAIN, 0) + 1
    step = setting.policy.chain(dossier.incident.level)[0]
    dossier.arm(clock="", generation=generation, kind=f"{CHAIN}_0", at=now + step.after, now=now)


def end_chain(dossier: Dossier, now: datetime) -> None:
    """Nobody further is woken: somebody has taken the incident on."""
    dossier.cancel(prefix=CHAIN, now=now)


def fire_step(dossier: Dossier, alarm: Alarm, setting: Setting, now: datetime) -> None:
    """Wake the people of a step and arm the next; steps that reach nobody are passed in the same moment."""
    steps = setting.policy.chain(dossier.incident.level)
    index = int(alarm.kind.rpartition("_")[2])
    began = alarm.at - steps[index].after if index < len(steps) else alarm.at
    while True:
        told = _tell_step(dossier, alarm, setting, now)
        dossier.end(alarm, "fired", now)
        _fired(dossier, alarm, told, setting, now)
        index += 1
        # An acknowledged incident hears of a higher level once; there is nothing left to acknowledge.
        if index >= len(steps) or (told and dossier.incident.state != "open"):
            return
        at = began + steps[index].after if told else now
        alarm = dossier.arm(
            clock="", generation=alarm.generation, kind=f"{CHAIN}_{index}", at=max(at, now), now=now
        )
        if told:
            return


def fire_clock(
    dossier: Dossier, clock: Clock, alarm: Alarm, *, passed: Iterable[Alarm], setting: Setting, now: datetime
) -> None:
    """Tell of a clock's alarm; `passed` are its earlier alarms that nobody heard and that need none now."""
    speaker = setting.speaker(dossier.incident.unit)
    payload = speaker.clock_alarm(
        dossier.incident, clock, alarm.kind, at=alarm.at, now=now, outage=setting.outage
    )
    calls = _calls(dossier, setting, setting.policy.told(alarm.kind))
    for call in calls:
        key = f"{dossier.incident.id}/{clock.id}:{alarm.kind}/{alarm.generation}/{call.person}/{call.channel}"
        dossier.say(_notice(dossier, key, call, payload))
    dossier.end(alarm, "fired", now)
    passed_kinds = [one.kind for one in passed]
    _fired(dossier, alarm, calls, setting, now, obligation=clock.obligation, passed=passed_kinds)


def _tell_step(dossier: Dossier, alarm: Alarm, setting: Setting, now: datetime) -> list[Call]:
    incident = dossier.incident
    steps = setting.policy.chain(incident.level)
    index = int(alarm.kind.rpartition("_")[2])
    if index >= len(steps):
        return []
    found = wake(setting.registry, incident.unit, steps[index].to, steps[index].channels)
    for hole in found.holes:
        _hole(dossier, hole, alarm.kind)
    speaker = setting.speaker(incident.unit)
    payload = speaker.escalation(incident, alarm.kind, at=alarm.at, now=now, outage=setting.outage)
    for call in found.calls:
        key = f"{incident.id}/{alarm.kind}/{alarm.generation}/{call.person}/{call.channel}"
        dossier.say(_notice(dossier, key, call, payload))
    return list(found.calls)


def _calls(dossier: Dossier, setting: Setting, told: tuple[To, ...]) -> list[Call]:
    """Whom an alarm reaches; where all of them are missing, whoever stands above."""
    calls: dict[Call, None] = {}
    above = tuple(to for to in _UP if _UP.index(to) > max((_UP.index(one) for one in told), default=-1))
    for to in told + above:
        if to in above and calls:
            break
        found = wake(_directory(setting), dossier.incident.unit, to)
        calls.update(dict.fromkeys(found.calls))
        for hole in found.holes:
            _hole(dossier, hole, "alarm")
    return list(calls)


def _directory(setting: Setting) -> Directory:
    return setting.registry


def _notice(dossier: Dossier, key: str, call: Call, payload: dict[str, object]) -> NewNotice:
    incident = dossier.incident
    return NewNotice(
        key=key,
        incident=incident.id,
        person=call.person,
        channel=call.channel,
        payload=payload,
        drill=incident.drill,
    )


def _hole(dossier: Dossier, hole: str, step: str) -> None:
    unit = dossier.incident.unit
    dossier.tell("audit.finding", f"unit:{unit}", {"finding": "roster_hole", "what": hole, "step": step})


def _fired(
    dossier: Dossier,
    alarm: Alarm,
    calls: Iterable[Call],
    setting: Setting,
    now: datetime,
    **detail: object,
) -> None:
    outage = setting.outage
    late = (now - alarm.at).total_seconds()
    down = {"down_from": outage.began, "down_to": outage.ended} if outage and outage.ended > alarm.at else {}
    told = [f"{call.person}/{call.channel}" for call in calls]
    detail |= {"kind": alarm.kind, "clock": alarm.clock, "at": alarm.at, "told": told}
    dossier.tell("clock.fired", f"alarm:{alarm.id}", detail | {"late_by_seconds": late} | down)
