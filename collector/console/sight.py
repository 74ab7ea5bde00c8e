"""How one reader sees rows: in their language, in a named time zone, with the register's names for keys."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from msgspec import Struct

from wire.sentences import FIELDS
from wire.vocabulary import GRADES

from ..desk.rights import MAY, Principal
from ..incident import STATES
from ..phrasebook import in_language, told
from ..registry import Registry
from ..store.board import RUNNING, when
from ..store.views import AuditRow, IncidentRow, NodeRow, ObligationRow, RunPlan
from ..store.watch import Found
from .code_words import CODES
from .spans import YEARS, Heat, clock_face, elapsed, heat, lapse, span, stamp, zone_named
from .texts import TAGS, catalogue
from .words import word

SILENT = timedelta(minutes=5)
_TOLD = {
    "run.step": ("step", "state", "why"),
    "run.joined": ("joined", "reason"),
    "run.paused": ("until", "why"),
    "run.cancelled": ("why",),
    "run.retried": ("step", "why"),
    "incident.moved": ("to", "reason"),
    "clock.fired": ("obligation", "kind"),
    "clock.opened": ("obligation",),
}
_TOLD_ELSE = ("level", "obligation", "kind", "plan", "channel", "person", "number", "reason")
_OVER = ("handled", "closed")
_MOVES = ("acknowledged", "contained", "handled", "closed")


class Face(Struct, frozen=True, kw_only=True):
    """A running clock as it is drawn.

    Fields:
        at: The law's due time, else the unit's own target.
        law: Whether `at` is law.
        left: Until then; negative when past.
        share: Of the time that is gone, 0 to 1.
    """

    clock: ObligationRow
    at: datetime
    law: bool
    left: timedelta
    heat: Heat
    share: float


class Sight(Struct, frozen=True, kw_only=True):
    """What templates speak through.

    Fields:
        zone: The time zone that page-wide times are shown in: the collector's own unit's.
    """

    language: str
    now: datetime
    registry: Registry
    principal: Principal | None
    zone: ZoneInfo

    @property
    def tag(self) -> str:
        """The page's BCP 47 language."""
        return TAGS[self.language]

    @property
    def may_act(self) -> bool:
        """Whether the reader is shown buttons at all; the rights are checked again when one is pressed."""
        return self.principal is not None and "act" in MAY.get(self.principal.role, frozenset())

    def say(self, text: str) -> str:
        """Return a sentence of the code in the reader's language."""
        return str(catalogue(self.language).gettext(text))

    def word(self, table: str, code: str | None) -> str:
        """Return what people read for a code."""
        return word(table, code, self.language)

    def level(self, code: str | None) -> str:
        """Return a level's name; an ungraded incident has one too."""
        return self.word("level", code) if code else self.say("not graded")

    def found(self, one: Found) -> str:
        """Return what the watch has found, as a line."""
        what = in_language(one.what, self.language) or one.subject.partition(":")[2][-12:]
        return f"{self.word('watch', one.finding)} · {what}" if what else self.word("watch", one.finding)

    def title(self, incident: IncidentRow) -> str:
        """Return an incident's line."""
        english = self.language != "zh"
        return (incident.title_en if english else incident.title) or incident.title or incident.title_en

    def both(self, names: Any) -> str:  # noqa: ANN401 - JSON of a plan
        """Return the reader's side of a `{zh, en}` of a plan; a plain text is itself."""
        if isinstance(names, dict):
            return str(names.get(self.language) or names.get("zh") or names.get("en") or "")
        return str(names or "")

    def unit(self, key: str | None) -> str:
        """Return a unit's name, its key where the register has it no more."""
        unit = self.registry.unit(key)
        if unit is None:
            return key or ""
        return unit.name if self.language == "zh" else unit.name_en or unit.name

    def asset(self, key: str | None) -> str:
        """Return an asset's name."""
        asset = self.registry.asset(key)
        return asset.name if asset else (key or "")

    def person(self, key: str | None) -> str:
        """Return a person's name."""
        person = self.registry.person(key)
        return person.name if person else (key or "")

    def actor(self, text: str | None) -> str:
        """Return who did it: `person:li` is a name, `system` a word, the rest as the journal has it."""
        kind, _, key = (text or "").partition(":")
        if kind == "person":
            return self.person(key)
        who = self.word("role", kind)
        return who if not key else key if kind == "user" else f"{who} {key[-8:]}"

    def zone_of(self, unit: str | None) -> ZoneInfo:
        """Return a unit's own time zone."""
        found = self.registry.unit(unit)
        return zone_named(found.timezone) if found else self.zone

    def stamp(self, at: datetime, unit: str | None = None) -> str:
        """Return a time to the second with its offset, in the unit's zone or the page's."""
        return stamp(at, self.zone_of(unit) if unit else self.zone)

    def face_time(self, at: datetime, unit: str | None = None) -> str:
        """Return the time of day, with the date where it is another day."""
        return clock_face(at, self.zone_of(unit) if unit else self.zone, self.now)

    def span(self, length: timedelta) -> str:
        """Return a length of time."""
        return span(length, self.language)

    def ago(self, at: datetime | None) -> str:
        """Return how long ago something was."""
        return lapse(self.now - at, self.language) if at else ""

    def length(self, seconds: float | None) -> str:
        """Return a length as hours, minutes and seconds; a dash where there is none."""
        if seconds is None:
            return "–"
        minutes, rest = divmod(int(seconds), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"

    def instant(self, text: Any) -> datetime | None:  # noqa: ANN401 - JSON of a row
        """Return a time that stands in JSON."""
        try:
            at = datetime.fromisoformat(str(text))
        except ValueError:
            return None
        return at if at.tzinfo and at.year in YEARS else None

    def clock_state(self, clock: ObligationRow) -> str:
        """Return the state of a clock now: the row says overdue only once the alarm has fired."""
        past = clock.due_at is not None and clock.due_at < self.now
        if clock.state != "open" or not past:
            return clock.state
        return "doubted" if clock.doubted_at else "overdue"

    def faces(self, clocks: list[ObligationRow]) -> list[Face]:
        """Return the clocks that run towards a known time, the earliest first."""
        running = [clock for clock in clocks if clock.state in RUNNING and when(clock)]
        return sorted(map(self._face, running), key=lambda face: face.at)

    def met(self, clocks: list[ObligationRow]) -> list[ObligationRow]:
        """Return the clocks that were met, the last first."""
        done = [clock for clock in clocks if clock.met_at is not None]
        return sorted(done, key=lambda clock: clock.met_at or self.now, reverse=True)

    def rise_heat(self, incident: IncidentRow) -> Heat:
        """Return how near the time is at which an incident becomes graver; calm where it does not."""
        at = self.instant((incident.next_level or {}).get("at"))
        return heat(incident.opened_at, at, self.now) if at and incident.state not in _OVER else "calm"

    def share(self, began: datetime, at: datetime) -> float:
        """Return the share of the time until then that is gone."""
        return elapsed(began, at, self.now)

    def moves(self, incident: IncidentRow) -> list[str]:
        """Return the states a person may bring the incident into from where it is."""
        if not self.may_act or incident.state not in STATES:
            return []
        later = STATES[STATES.index(incident.state) + 1 :]
        return [state for state in _MOVES if state in later]

    def grade(self, grade: int) -> str:
        """Return the name of a protection grade."""
        return GRADES[grade].in_language(self.language) if grade in GRADES else str(grade)

    def role(self, role: str, run: RunPlan) -> str:
        """Return the name of a role: the plan's own word for it, else ours."""
        roles = cast("dict[str, Any]", run.plan_body.get("roles") or {})
        return self.both(roles[role]) if role in roles else self.word("role", role)

    def chosen(self, field: Mapping[str, Any], value: Any) -> str:  # noqa: ANN401 - JSON of a plan and of a row
        """Return what a person filled into a field; of a choice what they read for it."""
        choices = field.get("choices")
        said = choices.get(value) if isinstance(choices, dict) and isinstance(value, str) else None
        return self.both(said) if said else self.plain(value)

    def plain(self, value: Any) -> str:  # noqa: ANN401 - JSON of a row
        """Return a value of JSON as people read it."""
        if isinstance(value, bool):
            return self.say("yes") if value else self.say("no")
        return ", ".join(map(self.plain, value)) if isinstance(value, list) else str(value)

    def silent(self, node: NodeRow) -> bool:
        """Whether an agent that is in use has not been heard of for too long."""
        return node.kind == "agent" and self.now - (node.last_seen or node.enrolled_at) > SILENT

    def told(self, text: Any) -> str:  # noqa: ANN401 - JSON of a row
        """Return the sentence with which a node or a step says why, as the reader reads it."""
        return told(str(text), self.language)

    def named(self, fields: list[str]) -> str:
        """Return what fields are called, in one line."""
        return ", ".join(self.word("fact", one) for one in fields)

    def label(self, name: str, value: Any) -> str:  # noqa: ANN401 - JSON of a row
        """Return what a field of evidence is called; a verdict's reasons are not those of a level."""
        first = value[0] if isinstance(value, list) and value else None
        if name == "reasons" and isinstance(first, dict) and "code" in first:
            name = "verdict_reasons"
        elif name == "sources" and isinstance(value, list):
            name = "data_sources"
        return self.word("fact", name)

    def value(self, name: str, value: str) -> str:
        """Return a text of evidence: what was seen as it is, why and codes in the reader's language."""
        code = CODES.get(name, {}).get(value)
        return code.in_language(self.language) if code else self.told(value) if name in FIELDS else value

    def finding(self, finding: dict[str, Any]) -> str:
        """Return on what node and register disagree."""
        said = " · ".join(
            f"{self.word('finding', key)} {self.value(key, self.plain(value))}"
            for key, value in finding.items()
            if key != "kind" and value is not None
        )
        return f"{self.word('finding', str(finding.get('kind', '')))}: {said}"

    def sanctioned(self, key: str) -> str:
        """Return the name of a sanctioned exit."""
        exit_ = self.registry.exits.get(key)
        return exit_.name if exit_ else key

    def gist(self, entry: AuditRow, titles: Mapping[str, str] | None = None) -> str:
        """Return what a timeline says of a journal entry besides its name: its detail's short values.

        Args:
            entry: The entry.
            titles: Words for ids of steps.
        """
        said = [
            str(value)
            for detail in (entry.detail, *entry.detail.get("notices", ()))
            for key in _TOLD.get(entry.action, _TOLD_ELSE)
            if isinstance(value := detail.get(key), str | int) and not isinstance(value, bool) and value
        ]
        named = {**(titles or {})}
        return " · ".join(named.get(value) or self._named(value) for value in dict.fromkeys(said))

    def _named(self, value: str) -> str:
        if person := self.registry.person(value):
            return person.name
        if value.startswith(("overdue_", "escalate_", "progress_")):
            kind, _, place = value.partition("_")
            step = int(place) + (kind != "overdue") if place.isdigit() else place  # chains count from 0
            return f"{word('alarm', kind, self.language)} {step}"
        for table in ("alarm", "order", "state", "recipient", "clock", "step", "run"):
            if (name := word(table, value, self.language)) != value:
                return name
        return self.told(value)

    def _face(self, clock: ObligationRow) -> Face:
        at = when(clock) or self.now
        began = clock.anchor_at or clock.opened_at
        return Face(
            clock=clock,
            at=at,
            law=clock.due_at is not None,
            left=at - self.now,
            heat=heat(began, at, self.now),
            share=elapsed(began, at, self.now),
        )
