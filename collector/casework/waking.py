"""Who is told: notices of clock alarms, and the escalation chain from step to step (pure).

The chain is one armed alarm at a time, `escalate_<n>`, n being the place in the policy's course; firing it
arms the next. A step that reaches nobody does not cost its wait: the next step is taken in the same moment,
and the hole in the roster is a finding.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from ..escalation import Call, Matter, OnDuty, Policy, Roster, To, Wake, course, wake
from ..regimes import Calendars
from ..registry import Registry
from ..store.clocks import Alarm, Clock
from ..store.notice_batch import NewNotice
from .dossier import Dossier
from .texts import Jump, Outage, Speaker

CHAIN = "escalate"
PROGRESS = "progress"
_UP: tuple[To, ...] = ("duty", "leader", "superior")


class Setting(Struct, frozen=True, kw_only=True):
    """What the rules look things up in, as of the last reload.

    Fields:
        rosters: By unit.
        calendars: Working days.
        language: Of notices.
        outage: The last time nobody was running, where it explains late alarms.
        jumps: What the host clock jumped over.
        wakes: Whom roles have meant so far; the incidents of a batch ask the same again and again.
    """

    registry: Registry
    policy: Policy
    rosters: Mapping[str, Roster] = {}
    calendars: Calendars = Calendars()
    language: str = "zh"
    outage: Outage | None = None
    jumps: tuple[Jump, ...] = ()
    wakes: dict[tuple[object, ...], Wake] = {}

    def doubts(self, clock: Clock) -> bool:
        """Whether a clock is past due only by a host clock that jumped, and nobody has said more yet."""
        if clock.state != "open" or clock.due_at is None:
            return False
        return clock.doubted_at is not None or any(jump.covers(clock.due_at) for jump in self.jumps)

    def speaker(self, unit: str) -> Speaker:
        """Return who writes for a unit: in its own time zone where it is known."""
        found = self.registry.unit(unit)
        return Speaker(self.language, ZoneInfo(found.timezone if found else "UTC"))

    def wake(self, unit: str, role: str, now: datetime, channels: tuple[str, ...] = ()) -> Wake:
        """Return whom a role means for a unit at a moment, and how they are reached."""
        question = (unit, role, now, channels)
        if question not in self.wakes:
            directory = OnDuty(registry=self.registry, rosters=self.rosters, at=now)
            self.wakes[question] = wake(directory, unit, role, channels)
        return self.wakes[question]

    def matter(self, dossier: Dossier) -> Matter:
        """Return what an incident is about, for the bodies."""
        incident = dossier.incident
        asset = self.registry.asset(incident.asset)
        return Matter(
            klass=incident.klass,
            level=incident.level,
            facts=incident.facts,
            classified=asset is not None and asset.classified,
            cii=asset is not None and asset.cii,
        )


def begin_chain(dossier: Dossier, setting: Setting, now: datetime) -> None:
    """Start the chain of the incident's level; one that was running ends."""
    dossier.cancel(prefix=CHAIN, now=now)
    generation = dossier.generations[CHAIN] = dossier.generations.get(CHAIN, 0) + 1
    first = course(setting.policy, dossier.incident.level)[0]
    dossier.arm(clock="", generation=generation, kind=f"{CHAIN}_0", at=now + first.after, now=now)


def end_chain(dossier: Dossier, now: datetime) -> None:
    """Nobody further is woken: somebody has taken the incident on."""
    dossier.cancel(prefix=CHAIN, now=now)
    dossier.cancel(prefix=PROGRESS, now=now)


def fire_step(dossier: Dossier, alarm: Alarm, setting: Setting, now: datetime, why: str = "") -> None:
    """Wake the people of a saying and arm the next; those that reach nobody are passed in the same moment.

    Args:
        dossier: In work.
        alarm: `escalate_<n>`; n counts the sayings of the course.
        setting: What is in force.
        now: The time.
        why: What the people shall read besides.
    """
    sayings = course(setting.policy, dossier.incident.level)
    index = _number(alarm)
    began = alarm.at - sayings[index].after if index < len(sayings) else alarm.at
    holes: set[str] = set()
    while True:
        found = _meant(dossier, index, setting, now)
        for hole in dict.fromkeys(found.holes):
            if hole not in holes:
                holes.add(hole)
                _hole(dossier, hole, alarm.kind)
        _tell_step(dossier, alarm, found.calls, setting, now, why=why)
        dossier.end(alarm, "fired", now)
        _fired(dossier, alarm, found.calls, setting, now)
        index += 1
        # An acknowledged incident hears of a higher level once; there is nothing left to acknowledge.
        if index >= len(sayings) or (found.calls and dossier.incident.state != "open"):
            return
        # Only a hole costs no wait: what is no matter of a body keeps its place in time.
        at = now if found.holes and not found.calls else began + sayings[index].after
        alarm = dossier.arm(
            clock="", generation=alarm.generation, kind=f"{CHAIN}_{index}", at=max(at, now), now=now
        )
        if alarm.at > now or found.calls:
            return


def fire_clock(
    dossier: Dossier, clock: Clock, alarm: Alarm, *, passed: Iterable[Alarm], setting: Setting, now: datetime
) -> None:
    """Tell of a clock's alarm; `passed` are its earlier alarms that nobody heard and that need none now."""
    speaker = setting.speaker(dossier.incident.unit)
    payload = speaker.clock_alarm(
        dossier.incident,
        clock,
        alarm.kind,
        at=alarm.at,
        now=now,
        outage=setting.outage,
        doubted=clock.due_at is not None and now >= clock.due_at and setting.doubts(clock),
    )
    calls = _calls(dossier, setting, setting.policy.told(alarm.kind), now)
    for call in calls:
        key = f"{dossier.incident.id}/{clock.id}:{alarm.kind}/{alarm.generation}/{call.person}/{call.channel}"
        dossier.say(_notice(dossier, key, call, payload))
    dossier.end(alarm, "fired", now)
    passed_kinds = [one.kind for one in passed]
    _fired(dossier, alarm, calls, setting, now, obligation=clock.obligation, passed=passed_kinds)


def _meant(dossier: Dossier, index: int, setting: Setting, now: datetime) -> Wake:
    """Return whom a saying reaches; nobody and no hole where its body has nothing to do with the matter."""
    incident = dossier.incident
    sayings = course(setting.policy, incident.level)
    if index >= len(sayings):
        return Wake(calls=())
    step = sayings[index].step
    found = [
        setting.wake(incident.unit, role, now, step.channels)
        for role in setting.policy.means(step.to, setting.matter(dossier))
    ]
    calls = dict.fromkeys(call for one in found for call in one.calls)
    return Wake(calls=tuple(calls), holes=tuple(hole for one in found for hole in one.holes))


def _tell_step(
    dossier: Dossier, alarm: Alarm, calls: Iterable[Call], setting: Setting, now: datetime, *, why: str
) -> None:
    incident = dossier.incident
    speaker = setting.speaker(incident.unit)
    payload = speaker.escalation(incident, alarm.kind, at=alarm.at, now=now, outage=setting.outage, why=why)
    for call in calls:
        key = f"{incident.id}/{alarm.kind}/{alarm.generation}/{call.person}/{call.channel}"
        dossier.say(_notice(dossier, key, call, payload))


def _number(alarm: Alarm) -> int:
    return int(alarm.kind.rpartition("_")[2])


def _calls(dossier: Dossier, setting: Setting, told: tuple[To, ...], now: datetime) -> list[Call]:
    """Whom an alarm reaches; where all of them are missing, whoever stands above."""
    calls: dict[Call, None] = {}
    matter = setting.matter(dossier)
    highest = max((_UP.index(one) for one in told if one in _UP), default=-1)
    for to in (*told, *_UP[highest + 1 :]):
        if to not in told and calls:
            break
        for role in setting.policy.means(to, matter):
            found = setting.wake(dossier.incident.unit, role, now)
            calls.update(dict.fromkeys(found.calls))
            for hole in found.holes:
                _hole(dossier, hole, "alarm")
    return list(calls)


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
