"""`duty explain`: level, reasons and reports owed of a described incident; no server, no database."""

import argparse
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from wire.usage import Parser
from wire.vocabulary import LEVELS

from .. import shipped
from ..classes import read_classes
from ..phrasebook import in_language
from ..regimes import (
    Answer,
    Calendars,
    Case,
    CaseErrors,
    Obligation,
    Regime,
    check_case,
    explain,
    load_regimes,
    read_case,
)
from ..regimes.case import fields
from ..regimes.words import RECIPIENTS, STATES, cited
from ..yaml_marks import Mistake, Mistakes
from .telling import language_of, time_of

if TYPE_CHECKING:
    from ..settings import Settings

_MAX_BYTES = 1_000_000
_YEARS_AHEAD = 4  # the longest limit is 999 working days
_APPLIES = {True: ("适用", "applies"), False: ("不适用", "does not apply"), "unknown": ("未知", "unknown")}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its one subcommand."""
    parser = commands.add_parser("duty", help="reporting duties of an incident")
    parser.set_defaults(config=None, lang=None)
    parts = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    part = parts.add_parser("explain", help="grade a described incident and list the reports owed")
    part.add_argument("case", metavar="CASE.yaml", help="the described incident")
    part.add_argument(
        "--at", metavar="TIME", type=time_of, help='"now", ISO 8601 with offset; wins over the case'
    )
    part.add_argument("--json", action="store_true", help="one JSON document on stdout")
    part.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="settings file")
    part.add_argument("--lang", choices=["zh", "en"], default=argparse.SUPPRESS, help="language of texts")


def run(args: argparse.Namespace) -> int:
    """Print the answer; 1 with every mistake on its own line when the case or a regime cannot be read."""
    settings = _settings(args)
    regimes = load_regimes(*_folders(settings))
    case = _case(args.case, regimes)
    language = language_of(args)
    now = args.at or case.at or datetime.now(UTC)  # noqa: TID251 - an explanation for "now" needs a clock
    calendars = _calendars(case, regimes, settings, now)
    answer = explain(case, regimes, now, language=language, calendars=calendars)
    sys.stderr.write("".join(_strays(case, answer, zh=language == "zh")))
    if args.json:
        sys.stdout.write(answer.to_json().decode() + "\n")
    else:
        print("\n".join(_lines(answer, now, zh=language == "zh")))
    return 0


def _settings(args: argparse.Namespace) -> "Settings | None":
    if args.config is None:
        return None
    from ..settings import read_settings  # noqa: PLC0415 - the shipped law needs no settings

    settings = read_settings(_text(args.config), args.config, os.environ)
    language_of(args, settings.language)
    return settings


def _folders(settings: "Settings | None") -> list[Path]:
    own = [Path(settings.regimes)] if settings is not None and settings.regimes else []
    return [shipped.configs_dir() / "regimes", *own]


def _calendars(
    case: Case, regimes: tuple[Regime, ...], settings: "Settings | None", now: datetime
) -> Calendars:
    """The working days a case may need; libraries are only asked where a law counts by them."""
    laws = [law for law in regimes if law.counts_workdays and law.id in (case.regimes or (law.id,))]
    regions = {region for law in laws if (region := law.calendar or case.unit.region) is not None}
    if not regions:
        return Calendars()
    from ..workdays import calendars_of, known_years, read_calendars, regions_of  # noqa: PLC0415 - see above

    folder = Path(settings.calendars) if settings is not None and settings.calendars else None
    own = sorted(folder.glob("*.yaml")) if folder is not None else []
    files = read_calendars((str(path), _text(str(path))) for path in own)
    moments = [time for time in fields(case.incident.times).values() if isinstance(time, datetime)]
    moments += [filing.at for filing in case.incident.filings] + [now]
    years = range(min(moments).year - 1, max(moments).year + _YEARS_AHEAD)
    return calendars_of(known_years(regions_of(regions, files), files, years))


def _case(file: str, regimes: tuple[Regime, ...]) -> Case:
    try:
        text = _text(file)
    except Mistakes as error:
        raise CaseErrors(error.mistakes) from None
    case = read_case(text, file)
    table = shipped.configs_dir() / "classes.yaml"
    classes = read_classes(table.read_text("utf-8"), str(table)).by_code if case.incident.klass else {}
    stages = {regime.id: tuple(stage.id for stage in regime.stages) for regime in regimes}
    check_case(text, file, stages, frozenset(classes))
    return case


def _text(file: str) -> str:
    try:
        with Path(file).open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise Mistakes([Mistake(file, 1, 1, "", "a larger file", f"at most {_MAX_BYTES} bytes")])
        return content.decode("utf-8-sig")
    except OSError as error:
        found = f"no readable file ({error.strerror})"
    except UnicodeDecodeError as error:
        found = f"a byte that is not UTF-8 (at {error.start})"
    raise Mistakes([Mistake(file, 1, 1, "", found, "a text file in UTF-8")])


def _strays(case: Case, answer: Answer, *, zh: bool) -> list[str]:
    """Filings that meet nothing: an id must be exact, and a misfit should not be silent."""
    owed = {duty.id for duty in answer.obligations}
    said = (
        "提示: incident.filings[{}] 所列 {} 不是本事件的报告义务\n"
        if zh
        else "note: incident.filings[{}] names {}, which this case does not owe\n"
    )
    return [
        said.format(index, filing.obligation)
        for index, filing in enumerate(case.incident.filings)
        if filing.obligation not in owed
    ]


def _lines(answer: Answer, now: datetime, *, zh: bool) -> list[str]:
    return [*_level_lines(answer, zh=zh), *_regime_lines(answer, zh=zh), *_duty_lines(answer, now, zh=zh)]


def _level_lines(answer: Answer, *, zh: bool) -> list[str]:
    if answer.level is None:
        return ["级别：不定级（涉密系统）" if zh else "Level: none (classified system)"]
    name = LEVELS[answer.level].in_language("zh" if zh else "en")
    proposed = ("，待人工确认" if zh else ", proposed: needs a person's word") if answer.proposed else ""
    lines = [f"{'级别' if zh else 'Level'}: {answer.level} {name} ({answer.level_by}){proposed}"]
    unverified = "（数值待核）" if zh else " (not verified)"
    lines += [
        f"  {reason.level:>3}  {reason.text} [{reason.criterion}]{'' if reason.verified else unverified}"
        for reason in answer.reasons
    ]
    if (rise := answer.next_level) is not None:
        words = "将升为" if zh else "will rise to"
        lines.append(f"  {words} {rise.level}: {rise.at.isoformat()} [{rise.criterion}]")
    if answer.could_rise:
        lines.append(f"  {'未知而可能升级' if zh else 'could rise by'}: {', '.join(answer.could_rise)}")
    return lines


def _regime_lines(answer: Answer, *, zh: bool) -> list[str]:
    lines = ["报告制度:" if zh else "Regimes:"]
    for looked in answer.regimes:
        applies = _APPLIES[looked.applies][0 if zh else 1]
        notes = [in_language(looked.why, "zh" if zh else "en")] if looked.why else []
        if looked.missing:
            notes.append(f"{'缺' if zh else 'missing'} {', '.join(looked.missing)}")
        lines.append(f"  {looked.id}: {applies}" + (f" ({'; '.join(notes)})" if notes else ""))
    return lines


def _duty_lines(answer: Answer, now: datetime, *, zh: bool) -> list[str]:
    if not answer.obligations:
        return ["报告义务：无" if zh else "Reports owed: none"]
    lines = ["报告义务:" if zh else "Reports owed:"]
    for duty in answer.obligations:
        lines.append(f"  {duty.id}: {_recipient(duty.recipient, zh=zh)}")
        lines.append(f"      {_standing(duty, now, zh=zh)}")
        if duty.missing:
            lines.append(f"      {'缺' if zh else 'missing'}: {', '.join(duty.missing)}")
    return lines


def _recipient(code: str, *, zh: bool) -> str:
    name = RECIPIENTS.get(code)
    return f"{name.in_language('zh' if zh else 'en')} ({code})" if name is not None else code


def _standing(duty: Obligation, now: datetime, *, zh: bool) -> str:
    parts = [STATES[duty.state].in_language("zh" if zh else "en")]
    if duty.due_at is not None:
        parts.append(
            f"{'截止' if zh else 'due'} {duty.due_at.isoformat()}{_distance(duty.due_at - now, zh=zh)}"
        )
    if duty.target_at is not None:
        target = "本单位目标，非法定时限" if zh else "house target, not law"
        parts.append(f"{target}: {duty.target_at.isoformat()}{_distance(duty.target_at - now, zh=zh)}")
    if duty.anchor_at is not None:
        parts.append(f"{'起算' if zh else 'from'} {duty.anchor} {duty.anchor_at.isoformat()}")
    source = cited(duty.source, "zh" if zh else "en")
    parts.append(source if duty.verified else f"{source} {'（待核）' if zh else '(not verified)'}")
    return ("；" if zh else "; ").join(parts)


def _distance(left: timedelta, *, zh: bool) -> str:
    minutes = abs(left) // timedelta(minutes=1)
    length = f"{minutes // 60}:{minutes % 60:02d}"
    if left < timedelta(0):
        return f"（已过 {length}）" if zh else f" ({length} ago)"
    return f"（还有 {length}）" if zh else f" (in {length})"
