"""The after-action report of a drill: what was to happen, what did, how it scored, what was learnt (pure)."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from ..drills import FORMS, KINDS, MARK, SCOPES, Sheet, marked
from ..drills.score import Mark
from ..drills.words import EVENTS, RESULTS, SUPERIORS, WHATS
from ..registry import Registry
from ..statement import Words
from ..store.drill_story import Story
from ..store.drills import Drill
from .phrases import stamp

_TITLE = Words("应急演练评估报告", "After-action report of a drill")
_MOST_LINES = 400
_LABELS: dict[str, Words] = {
    "name": Words("演练名称", "Drill"),
    "unit": Words("组织单位", "Held by"),
    "units": Words("参演单位", "Taking part"),
    "form": Words("形式", "Form"),
    "scope": Words("范围", "Scope"),
    "kind": Words("种类", "Kind"),
    "purpose": Words("目的", "Purpose"),
    "began": Words("开始", "Began"),
    "ended": Words("结束", "Ended"),
    "superior": Words("上级参演", "Side above"),
    "points": Words("得分", "Points"),
    "id": Words("演练编号", "Number"),
    "as_of": Words("数据截至", "As of"),
}
_HEADINGS: dict[str, Words] = {
    "score": Words("一、评分表", "1. Score sheet"),
    "failings": Words("二、存在的问题", "2. What fell short"),
    "script": Words("三、导调事件", "3. What was injected"),
    "course": Words("四、处置过程", "4. What was done"),
    "lessons": Words("五、总结与改进", "5. Lessons and improvements"),
}
_NOTHING = Words("无", "nothing")
_SIGNED = Words("演练总指挥签字：            （单位盖章）", "Director of the drill:            (seal)")
_FAILED = ("late", "missed")


class AfterAction(Struct, frozen=True, kw_only=True):
    """The report as data; `docx` and `pdf` print it."""

    drill: str
    name: Words
    unit: str
    units: list[str]
    form: str
    scope: str
    kind: str
    purpose: Words | None
    began_at: datetime | None
    ended_at: datetime | None
    superior: str
    superior_said: dict[str, Any] | None
    sheet: Sheet
    story: Story
    lessons: str
    at: datetime
    timezone: str
    names: dict[str, Words]


def after_action(drill: Drill, sheet: Sheet, story: Story, registry: Registry, now: datetime) -> AfterAction:
    """Return the report of a drill."""
    unit, script = registry.unit(drill.unit), drill.written
    units = {key: registry.unit(key) for key in (drill.unit, *drill.units)}
    return AfterAction(
        drill=drill.id,
        name=Words(drill.name, drill.name_en),
        unit=drill.unit,
        units=drill.units,
        form=drill.form,
        scope=drill.scope,
        kind=drill.kind,
        purpose=script.purpose if script else None,
        began_at=drill.started_at,
        ended_at=drill.ended_at,
        superior=drill.superior,
        superior_said=drill.superior_said,
        sheet=sheet,
        story=story,
        lessons=drill.lessons,
        at=now,
        timezone=unit.timezone if unit else "UTC",
        names={key: Words(one.name, one.name_en or one.name) for key, one in units.items() if one},
    )


def drill_paper(report: AfterAction, language: str) -> dict[str, Any]:
    """Return what a template sets out, of the form that reports of incidents have."""
    rows = [
        {"label": _LABELS[key].in_language(language), "value": value}
        for key, value in _rows(report, language)
    ]
    return {
        "language": language,
        "tag": "zh" if language == "zh" else "en",
        "mark": MARK.in_language(language).strip(),
        "title": marked(_TITLE.in_language(language), language, drill=True),
        "rows": [row for row in rows if row["value"]],
        "items_": list(_items(report, language)),
        "sources_title": "",
        "sources": [],
        "signature": _SIGNED.in_language(language),
    }


def _rows(report: AfterAction, language: str) -> list[tuple[str, str]]:
    def time(at: datetime | None) -> str:
        return stamp(at, ZoneInfo(report.timezone)).in_language(language) if at else ""

    def unit(key: str) -> str:
        return report.names[key].in_language(language) if key in report.names else key

    points = report.sheet.points
    form, scope, kind = FORMS[report.form], SCOPES[report.scope], KINDS[report.kind]  # type: ignore[index]
    return [
        ("name", report.name.in_language(language)),
        ("unit", unit(report.unit)),
        ("units", ("、" if language == "zh" else ", ").join(map(unit, report.units))),
        ("form", form.in_language(language)),
        ("scope", scope.in_language(language)),
        ("kind", kind.in_language(language)),
        ("purpose", report.purpose.in_language(language) if report.purpose else ""),
        ("began", time(report.began_at)),
        ("ended", time(report.ended_at)),
        ("superior", SUPERIORS[report.superior].in_language(language)),
        ("points", "" if points is None else f"{points} / 100"),
        ("id", report.drill),
        ("as_of", time(report.at)),
    ]


def _items(report: AfterAction, language: str) -> list[dict[str, Any]]:
    zone, failed = ZoneInfo(report.timezone), [one for one in report.sheet.marks if one.result in _FAILED]
    parts = {
        "score": [mark_line(one, language) for one in report.sheet.marks],
        "failings": [mark_line(one, language) for one in failed],
        "script": [
            f"{one.at.astimezone(zone):%m-%d %H:%M:%S}  {EVENTS[one.kind].in_language(language)}  "
            f"{one.words.in_language(language)}"
            for one in report.story.events
        ],
        "course": [
            f"{one.at.astimezone(zone):%m-%d %H:%M:%S}  {one.actor}  {one.action}  {one.gist}"
            for one in report.story.deeds
        ],
        "lessons": report.lessons.splitlines(),
    }
    return [
        {
            "heading": _HEADINGS[name].in_language(language),
            "lines": lines[:_MOST_LINES] or [_NOTHING.in_language(language)],
            "open": "",
        }
        for name, lines in parts.items()
    ]


def mark_line(mark: Mark, language: str) -> str:
    """Return one line of the sheet: what, how long it took of how much, and the result."""
    title = mark.title if language == "zh" else mark.title_en
    took, limit = length(mark.seconds), length(mark.limit_seconds)
    what, result = WHATS[mark.what].in_language(language), RESULTS[mark.result].in_language(language)
    about = f" {mark.about}" if mark.about else ""
    return f"[{result}] {what}{about}: {took} / {limit}  {title}"


def length(seconds: float | None) -> str:
    """Say a length as hours, minutes and seconds.

    >>> length(3723.4), length(None)
    ('01:02:03', '-')
    """
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest:02}"
