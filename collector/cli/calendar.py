"""`calendar`: which days are worked; show them, fill the collector's table, take in a decreed year."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..errors import PermanentError
from ..regimes import Region
from ..settings import Settings
from ..workdays import (
    CalendarFile,
    CalendarYear,
    known_years,
    read_calendar,
    regions_of,
    years_around,
)
from ..workdays.exchange import read_published, write_calendar
from ..yaml_marks import Mistake, Mistakes
from . import DEFAULT_CONFIG
from .loading import settings_of, world_of
from .telling import language_of

_MAX_BYTES = 1_000_000
_WORDS = {
    "zh": {
        True: "已确认",
        False: "未确认（仅为推算，按工作日计的时限不采用）",
        "days": "{} {}：{} 个工作日，{}；来源：{}",
        "off": "休",
        "worked": "班",
        "filled": "已写入 {} {}",
        "nothing": "工作日历没有变化",
        "taken": "已写入 {}；运行中的采集端一小时内采用，发送 SIGHUP 则立即采用",
    },
    "en": {
        True: "confirmed",
        False: "not confirmed (only reckoned; limits in working days do not use it)",
        "days": "{} {}: {} working days, {}; source: {}",
        "off": "off",
        "worked": "worked",
        "filled": "written: {} {}",
        "nothing": "nothing in the calendar has changed",
        "taken": "written: {}; a running collector uses it within an hour, on SIGHUP at once",
    },
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its three subcommands."""
    parser = commands.add_parser("calendar", help="working days")
    parts = parser.add_subparsers(metavar="COMMAND", required=True)
    show = parts.add_parser("show", help="years, with what differs from Monday to Friday")
    _shared(show)
    show.add_argument("--region", metavar="CODE", default="", help="ISO 3166; default: where the units are")
    show.add_argument("--year", metavar="YEAR", type=int, default=None, help="default: this, last and next")
    show.add_argument("--stored", action="store_true", help="what stands in the collector's table")
    show.set_defaults(part=_show)
    fill = parts.add_parser("fill", help="write what is known into the collector's table")
    _shared(fill)
    fill.add_argument("--lessen", action="store_true", help="put reckoned years in place of confirmed too")
    fill.set_defaults(part=_fill)
    taken = parts.add_parser("import", help="take in a decreed year: our YAML, or holiday-cn's JSON")
    taken.add_argument("file", metavar="FILE", type=Path)
    _shared(taken)
    taken.add_argument("--stdout", action="store_true", help="print the file, put it nowhere")
    taken.add_argument("--replace", action="store_true", help="also where that year has a file already")
    taken.set_defaults(part=_import)


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    return int(args.part(args))


def _shared(part: argparse.ArgumentParser) -> None:
    part.add_argument("--json", action="store_true", help="one JSON document on stdout")
    part.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="settings file")
    part.add_argument("--lang", choices=["zh", "en"], default=argparse.SUPPRESS, help="language of texts")


def _show(args: argparse.Namespace) -> int:
    if args.region:
        try:
            Region.parse_yaml(args.region)
        except ValueError as error:
            raise PermanentError(f"--region: found {args.region!r}, expected {error}") from None
    years = _stored(args) if args.stored else _known(args)
    language = language_of(args)
    if args.json:
        print(json.dumps({"years": [_document(year) for year in years]}, ensure_ascii=False, indent=1))
    else:
        print("\n".join(line for year in years for line in _lines(year, language)))
    return 0


def _known(args: argparse.Namespace) -> list[CalendarYear]:
    """By libraries and the operator's files; without settings by the libraries alone."""
    regions: set[str] = {args.region or "CN"}
    files: Sequence[CalendarFile] = ()
    if args.config != DEFAULT_CONFIG or Path(args.config).exists():
        world = world_of(args)
        files = world.calendars
        regions = {args.region} if args.region else {unit.region for unit in world.registry.units.values()}
    asked = years_around(_now()) if args.year is None else range(args.year, args.year + 1)
    named = [args.region] if args.region else regions_of(regions, files)
    years = known_years(named, files, asked)
    return [year for year in years if year.region in named and year.year in asked]


def _stored(args: argparse.Namespace) -> list[CalendarYear]:
    years = asyncio.run(_read(settings_of(args)))
    return [
        year
        for year in years
        if (not args.region or year.region == args.region) and args.year in {None, year.year}
    ]


def _fill(args: argparse.Namespace) -> int:
    world = world_of(args)
    regions = {unit.region for unit in world.registry.units.values()}
    return _written(args, world.settings, regions, world.calendars, lessen=args.lessen)


def _written(
    args: argparse.Namespace,
    settings: Settings,
    regions: set[str],
    files: Sequence[CalendarFile],
    *,
    lessen: bool = False,
) -> int:
    years = known_years(regions_of(regions, files), files, years_around(_now()))
    written = asyncio.run(_write(settings, years, lessen=lessen))
    words = _WORDS[language_of(args)]
    if args.json:
        print(json.dumps({"written": [_document(year) for year in written]}, ensure_ascii=False, indent=1))
    for year in written:
        print(words["filled"].format(year.region, year.year), file=sys.stderr)
    if not written:
        print(words["nothing"], file=sys.stderr)
    return 0


def _import(args: argparse.Namespace) -> int:
    calendar = _read_file(args.file)
    text = write_calendar(calendar)
    if args.stdout:
        print(text, end="")
        return 0
    world = world_of(args)
    if not world.settings.calendars:
        raise PermanentError(
            "calendars: the settings name no folder for them; name one, or print the file with --stdout"
        )
    target = Path(world.settings.calendars) / f"{calendar.region}-{calendar.year}.yaml"
    if target.exists() and not args.replace:
        raise PermanentError(f"{target}: stands there already; --replace puts the new one in its place")
    _put(target, text)
    print(_WORDS[language_of(args)]["taken"].format(target), file=sys.stderr)
    regions = {unit.region for unit in world.registry.units.values()}
    return _written(args, world.settings, regions, [*world.calendars, calendar])


def _read_file(path: Path) -> CalendarFile:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise PermanentError(f"{path}: {error.strerror}") from None
    if len(content) > _MAX_BYTES:
        raise Mistakes([Mistake(str(path), 1, 1, "", "a larger file", f"at most {_MAX_BYTES} bytes")])
    if content.lstrip().startswith(b"{"):
        return read_published(content, str(path))
    try:
        return read_calendar(content.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError:
        raise PermanentError(f"{path}: is not UTF-8 text") from None


def _put(target: Path, text: str) -> None:
    """Whole or not at all: a collector may be reading the folder."""
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(target)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise PermanentError(f"{target}: {error.strerror}") from None


async def _read(settings: Settings) -> list[CalendarYear]:
    from ..store.calendars import read_years  # noqa: PLC0415 - the database's libraries, only where needed
    from ..store.engine import Store  # noqa: PLC0415 - likewise

    store = await Store.open(settings.database_url)
    try:
        async with store.read() as connection:
            return list((await read_years(connection)).values())
    finally:
        await store.close()


async def _write(settings: Settings, years: list[CalendarYear], *, lessen: bool) -> list[CalendarYear]:
    from ..app.first_start import make_folder  # noqa: PLC0415 - the server's libraries, only where needed
    from ..store.calendars import fill  # noqa: PLC0415 - likewise
    from ..store.engine import Store  # noqa: PLC0415 - likewise

    make_folder(settings.state)
    store = await Store.open(settings.database_url)
    try:
        return await store.run(lambda connection: fill(connection, years, _now(), lessen=lessen))
    finally:
        await store.close()


def _document(year: CalendarYear) -> dict[str, object]:
    return {
        "region": year.region,
        "year": year.year,
        "confirmed": year.confirmed,
        "source": year.source,
        "working_days": len(year.working),
        "unusual": [
            {"day": day.isoformat(), "working": works, "name": year.names.get(day, "")}
            for day, works in year.unusual()
        ],
    }


def _lines(year: CalendarYear, language: str) -> list[str]:
    words = _WORDS[language]
    head = words["days"].format(year.region, year.year, len(year.working), words[year.confirmed], year.source)
    days = [
        f"  {day} {words['worked' if works else 'off']} {year.names.get(day, '')}".rstrip()
        for day, works in year.unusual()
    ]
    return [head, *days]


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a command is its own clock
