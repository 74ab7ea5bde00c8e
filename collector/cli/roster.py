"""`roster`: who would be woken when, and duty rosters as calendars out and in; changes nothing that runs."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from ..errors import PermanentError
from ..escalation import Matter, OnDuty, Roster
from ..escalation.foresight import Moment, foresee
from ..escalation.rota_file import write_shifts
from ..phrasebook import in_language
from ..regimes import Facts
from ..world import World
from .loading import with_working_days, world_of
from .telling import language_of, time_of

_FACTS = {*Facts.__struct_fields__, "crime_suspected"}
LEVELS = ("I", "II", "III", "IV")
_MAX_BYTES = 2_000_001


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its three subcommands."""
    parser = commands.add_parser("roster", help="duty rosters")
    parts = parser.add_subparsers(metavar="COMMAND", required=True)
    preview = parts.add_parser("preview", help="who would be woken when")
    _shared(preview)
    preview.add_argument("--class", dest="klass", metavar="CLASS", default="", help="GB/T 20986 class")
    preview.add_argument("--level", choices=LEVELS, default=None, help="level; default: not graded yet")
    preview.add_argument("--asset", metavar="KEY", default=None, help="asset of the register")
    preview.add_argument("--fact", metavar="NAME", action="append", default=[], help="a fact that is so")
    preview.add_argument("--json", action="store_true", help="one JSON document on stdout")
    preview.set_defaults(part=_preview)
    export = parts.add_parser("export", help="a roster as iCalendar on stdout")
    _shared(export)
    export.add_argument("--days", type=int, default=28, help="so many days from --at")
    export.set_defaults(part=_export)
    taken = parts.add_parser("import", help="a calendar as a roster file on stdout")
    taken.add_argument("file", metavar="FILE.ics", help="iCalendar; - is stdin")
    _shared(taken)
    taken.add_argument("--days", type=int, default=366, help="so many days from --at")
    taken.set_defaults(part=_import)


def run(args: argparse.Namespace) -> int:
    """Load the world and do what was asked."""
    world = world_of(args)
    unit = args.unit or world.settings.unit
    if unit not in world.registry.units:
        known = ", ".join(sorted(world.registry.units))
        raise PermanentError(f"--unit: found {unit!r}, expected one of {known}")
    at: datetime = args.at or datetime.now(UTC)  # noqa: TID251 - a preview of "now" needs a clock
    world = with_working_days(world, at, at + _span(getattr(args, "days", 0) or 1))
    return int(args.part(args, world, unit, at.astimezone(ZoneInfo(world.registry.units[unit].timezone))))


def _shared(part: argparse.ArgumentParser) -> None:
    part.add_argument("--unit", metavar="KEY", default="", help="unit of the register; default: our own")
    part.add_argument(
        "--at", metavar="TIME", type=time_of, default=None, help="ISO 8601 with offset; default: now"
    )
    part.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="settings file")
    part.add_argument("--lang", choices=["zh", "en"], default=argparse.SUPPRESS, help="language of texts")


def _preview(args: argparse.Namespace, world: World, unit: str, at: datetime) -> int:
    if args.klass and not world.classes.knows(args.klass):
        raise PermanentError(f"--class: found {args.klass!r}, expected a code of {world.classes.standard}")
    asset = world.registry.asset(args.asset)
    if args.asset and asset is None:
        raise PermanentError(f"--asset: found {args.asset!r}, expected an asset of the register")
    if unknown := sorted(set(args.fact) - _FACTS):
        known = ", ".join(sorted(_FACTS))
        raise PermanentError(f"--fact: found {', '.join(unknown)}, expected one of {known}")
    matter = Matter(
        klass=args.klass,
        level=args.level,
        facts=dict.fromkeys(args.fact, True),
        classified=asset is not None and asset.classified,
        cii=asset is not None and asset.cii,
    )
    moments = foresee(
        world.policy,
        matter,
        unit,
        at,
        lambda moment: OnDuty(registry=world.registry, rosters=world.rosters, at=moment),
    )
    if args.json:
        sys.stdout.write(msgspec.json.encode(_document(world, unit, at, matter, moments)).decode() + "\n")
    else:
        print("\n".join(_lines(world, unit, at, moments, zh=language_of(args) == "zh")))
    return 0


def _export(args: argparse.Namespace, world: World, unit: str, at: datetime) -> int:
    from ..escalation.ical import write_ical  # noqa: PLC0415 - only the calendar commands need the library

    roster = world.rosters.get(unit)
    if roster is None:
        raise PermanentError(f"unit {unit} has no roster; put one into rosters/ of the escalation folder")
    sys.stdout.write(write_ical(roster, world.registry, at, at + _span(args.days)).decode())
    return 0


def _import(args: argparse.Namespace, world: World, unit: str, at: datetime) -> int:
    from ..escalation.ical import read_ical  # noqa: PLC0415 - only the calendar commands need the library

    content = sys.stdin.buffer.read(_MAX_BYTES) if args.file == "-" else _content(args.file)
    roster = read_ical(content, args.file, unit, world.registry, begin=at, end=at + _span(args.days))
    sys.stdout.write(write_shifts(roster, Path(args.file).name))
    zh = language_of(args) == "zh"
    count = len(roster.shifts)
    print(f"{count} 个班次" if zh else f"{count} shifts", file=sys.stderr)
    return 0


def _span(days: int) -> timedelta:
    if not 1 <= days <= 3660:
        raise PermanentError(f"--days: found {days}, expected 1 to 3660")
    return timedelta(days=days)


def _content(file: str) -> bytes:
    try:
        with Path(file).open("rb") as stream:
            return stream.read(_MAX_BYTES)
    except OSError as error:
        raise PermanentError(f"{file}: {error.strerror}") from None


def _document(
    world: World, unit: str, at: datetime, matter: Matter, moments: Sequence[Moment]
) -> dict[str, Any]:
    return {
        "unit": unit,
        "at": at,
        "class": matter.klass or None,
        "level": matter.level,
        "policy": world.policy.id,
        "roster": unit in world.rosters,
        "acknowledgements": world.policy.needed(matter.level),
        "woken": [
            {
                "at": moment.at,
                "after_seconds": (moment.at - at).total_seconds(),
                "saying": moment.saying,
                "to": moment.to,
                "repetition": moment.nth,
                "round": moment.turn,
                "calls": [
                    {
                        "person": call.person,
                        "name": world.registry.people[call.person].name,
                        "channel": call.channel,
                    }
                    for call in moment.calls
                ],
                "holes": moment.holes,
            }
            for moment in moments
        ],
    }


def _lines(world: World, unit: str, at: datetime, moments: Sequence[Moment], *, zh: bool) -> list[str]:
    roster: Roster | None = world.rosters.get(unit)
    by = (
        ("值班表" if zh else "roster") if roster else ("登记册值班名单" if zh else "the register's duty list")
    )
    name = world.registry.units[unit].name if zh else world.registry.units[unit].name_en or unit
    lines = [f"{name} {at.isoformat(' ', 'seconds')} ({by})"]
    for moment in moments:
        who = ", ".join(f"{world.registry.people[one.person].name} ({one.channel})" for one in moment.calls)
        hole = "; ".join(in_language(one, "zh" if zh else "en") for one in moment.holes)
        gap = f"{'无人' if zh else 'HOLE'}: {hole}" if hole else ""
        after = int((moment.at - at).total_seconds()) // 60
        when = moment.at.isoformat(" ", "minutes")
        lines.append(f"  +{after:>4} min  {when}  {moment.to:<15} {' | '.join(x for x in (who, gap) if x)}")
    return lines
