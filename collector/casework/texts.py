"""What people read in a notice, in zh and en (pure)."""

from datetime import datetime, timedelta, tzinfo
from typing import Any

from msgspec import Struct

from wire.vocabulary import LEVELS, Name

from ..drills import marked
from ..regimes.words import RECIPIENTS
from ..store.clocks import Clock
from ..store.incidents import Incident

STAGES: dict[str, Name] = {
    "first": Name("首次报告", "first report"),
    "report": Name("报告", "report"),
    "supplement": Name("补充报告", "supplement"),
    "summary": Name("总结报告", "summary"),
    "crime": Name("涉嫌犯罪报案", "report of a suspected crime"),
    "onward": Name("续报上级", "report onward"),
}
_MOMENTS: dict[str, Name] = {
    "due": Name("时限已到", "is due"),
    "overdue": Name("已超时限", "is overdue"),
    "target": Name("单位自定目标时间已到(非法定)", "has reached the unit's own target (not law)"),
}
_UNGRADED = Name("未定级", "ungraded")


class Outage(Struct, frozen=True, kw_only=True):
    """From when to when no collector was running; it explains why an alarm is late."""

    began: datetime
    ended: datetime


class Jump(Struct, frozen=True, kw_only=True):
    """From when to when the host clock jumped: what fell due within may not be due in truth."""

    began: datetime
    ended: datetime

    def covers(self, at: datetime) -> bool:
        """Whether a moment was jumped over."""
        return self.began < at <= self.ended


class Speaker(Struct, frozen=True):
    """Writes for one language and one time zone."""

    language: str
    zone: tzinfo

    def clock_alarm(
        self,
        incident: Incident,
        clock: Clock,
        kind: str,
        *,
        at: datetime,
        now: datetime,
        outage: Outage | None,
        doubted: bool = False,
    ) -> dict[str, Any]:
        """Return the payload of a clock's alarm due at `at`; `doubted`: the host clock jumped over it."""
        moment = self._moment(clock, kind, at)
        owed = f"{self._name(STAGES, clock.stage)} → {self._name(RECIPIENTS, clock.recipient)}"
        until = clock.due_at or clock.target_at
        when = self.time(until) if until else "-"
        subject = self.words(f"【烽燧】{owed}:{moment}", f"[Fengsui] {owed}: {moment}")
        body = [
            self.about(incident),
            self.words(f"时限:{when}", f"due: {when}"),
            *self._late(at, now, outage),
        ]
        if doubted:
            body.append(
                self.words(
                    "主机时钟曾跳变,是否逾期待人工确认",
                    "the host's clock has jumped: whether it was missed is for a person to confirm",
                )
            )
        source = self.words("依据", "source")
        body.append(f"{source}: {clock.obligation}, {clock.source}")
        return self._payload(incident, kind, subject, body) | {
            "obligation": clock.obligation,
            "due_at": clock.due_at,
            "target_at": clock.target_at,
        }

    def escalation(
        self,
        incident: Incident,
        kind: str,
        *,
        at: datetime,
        now: datetime,
        outage: Outage | None,
        why: str = "",
    ) -> dict[str, Any]:
        """Return the payload of a step of the escalation chain; `why`: the reason, where it is not plain."""
        level = self.level(incident)
        subject = self.words(
            f"【烽燧】{level}事件待确认", f"[Fengsui] {level} incident waits for acknowledgement"
        )
        body = [self.about(incident), *([why] if why else []), *self._late(at, now, outage)]
        return self._payload(incident, kind, subject, body)

    def lapsed(self, incident: Incident, length: timedelta) -> str:
        """Say that an acknowledgement does not hold any more."""
        who, minutes = incident.acknowledged_by or "-", int(length.total_seconds() // 60)
        return self.words(
            f"{who} 确认后 {minutes} 分钟内无处置进展,确认失效",
            f"acknowledged by {who}, but no progress within {minutes} minutes: it holds no more",
        )

    def about(self, incident: Incident) -> str:
        """Return one line that says which incident it is."""
        title = self.words(incident.title, incident.title_en)
        where = incident.asset or incident.unit
        return f"{title} ({incident.klass}, {self.level(incident)}, {where})"

    def level(self, incident: Incident) -> str:
        """Return the level's name."""
        if incident.level is None:
            return _UNGRADED.in_language(self.language)
        return self.words(LEVELS[incident.level].zh, f"level {incident.level} ({LEVELS[incident.level].en})")

    def time(self, at: datetime) -> str:
        """Return a time in the unit's zone, to the second, with its offset.

        >>> from datetime import UTC
        >>> Speaker("zh", UTC).time(datetime(2026, 3, 2, 9, 10, tzinfo=UTC))
        '2026-03-02 09:10:00 +00:00'
        """
        return at.astimezone(self.zone).isoformat(" ", "seconds").replace("+", " +").replace("Z", " +00:00")

    def words(self, zh: str, en: str) -> str:
        """Return the text in this speaker's language."""
        return zh if self.language == "zh" else en

    def _moment(self, clock: Clock, kind: str, at: datetime) -> str:
        until = clock.due_at or clock.target_at
        if kind in {"half", "four_fifths"} and clock.anchor_at and until and until > clock.anchor_at:
            gone = round((at - clock.anchor_at) / (until - clock.anchor_at) * 100)
            return self.words(f"时限已过 {gone}%", f"{gone} % of the time are gone")
        return self._name(_MOMENTS, "overdue" if kind.startswith("overdue_") else kind)

    def _late(self, at: datetime, now: datetime, outage: Outage | None) -> list[str]:
        if now - at < timedelta(seconds=5):
            return []
        length = _length(now - at)
        if outage is None or outage.ended <= at:
            return [self.words(f"本提醒迟发 {length}", f"this alarm is late by {length}")]
        span = f"{self.time(outage.began)} - {self.time(outage.ended)}"
        return [
            self.words(
                f"本提醒迟发 {length}:采集端停止运行 {span}",
                f"this alarm is late by {length}, because the collector was down from {span}",
            )
        ]

    def _name(self, names: dict[str, Name], key: str) -> str:
        return names[key].in_language(self.language) if key in names else key

    def _payload(self, incident: Incident, kind: str, subject: str, body: list[str]) -> dict[str, Any]:
        return {
            "subject": marked(subject, self.language, drill=incident.drill),
            "body": marked("\n".join(body), self.language, drill=incident.drill),
            "language": self.language,
            "drill": incident.drill,
            "kind": kind,
            "incident": incident.id,
            "class": incident.klass,
            "level": incident.level,
            "unit": incident.unit,
            "asset": incident.asset,
        }


def _length(length: timedelta) -> str:
    """Say a length as `1d 02:03:04`.

    >>> _length(timedelta(days=1, hours=2, seconds=4))
    '1d 02:00:04'
    """
    seconds = int(length.total_seconds())
    days, rest = divmod(seconds, 86400)
    clock = f"{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"
    return f"{days}d {clock}" if days else clock
