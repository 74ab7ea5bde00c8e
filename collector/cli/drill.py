"""`fengsui-collector drill`: plan, rehearse, start, direct, score and prove drills; the collector may run."""

import argparse
import asyncio
import os
import pwd
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec

from ..drills import FORMS, KINDS, SCOPES, Script, read_script
from ..errors import PermanentError
from ..world import World, read_text
from .drill_telling import Teller
from .loading import with_working_days, world_of
from .telling import language_of, time_of

_Part = Callable[[argparse.Namespace, World, Teller], Any]


class _Add(Protocol):
    """Adds a part of the command; `key`: it takes a drill's id."""

    def __call__(
        self, name: str, text: str, work: _Part, *, key: bool = False
    ) -> argparse.ArgumentParser: ...


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its parts."""
    parser = commands.add_parser("drill", help="drills: plan, hold, score, prove")
    parts = parser.add_subparsers(metavar="COMMAND", required=True)

    def part(name: str, text: str, work: _Part, *, key: bool = False) -> argparse.ArgumentParser:
        made = parts.add_parser(name, help=text)
        if key:
            made.add_argument("id", metavar="ID", help="of the drill")
        made.add_argument("--json", action="store_true", help="one JSON document on stdout")
        made.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="settings file")
        made.add_argument("--lang", choices=["zh", "en"], default=argparse.SUPPRESS, help="language of texts")
        made.set_defaults(part=work)
        return made

    _plan_parts(part)
    _hold_parts(part)
    _prove_parts(part)


def _plan_parts(part: _Add) -> None:
    """Add what comes before a drill."""
    check = part("check", "find every mistake of a script", _check)
    check.add_argument("file", metavar="FILE", help="script")
    rehearse = part("rehearse", "play a script on a simulated clock, without effects", _rehearse)
    rehearse.add_argument("file", metavar="FILE", help="script")
    rehearse.add_argument("--at", metavar="TIME", type=time_of, help="when it begins; default: now")
    rehearse.add_argument("--unit", metavar="KEY", default="", help="of the register; default: our own")
    schedule = part("schedule", "put a drill into the year's plan", _schedule)
    schedule.add_argument("file", metavar="FILE", nargs="?", help="script; may be written later")
    schedule.add_argument(
        "--at", metavar="TIME", type=time_of, required=True, help="when; ISO 8601 with offset"
    )
    schedule.add_argument("--unit", metavar="KEY", default="", help="default: our own")
    schedule.add_argument(
        "--with",
        dest="others",
        metavar="KEY",
        action="append",
        default=[],
        help="unit that takes part; may be given again",
    )
    schedule.add_argument("--superior", action="store_true", help="ask the side above")
    schedule.add_argument("--name", metavar="TEXT", default="", help="where there is no script")
    schedule.add_argument("--name-en", metavar="TEXT", default="", help="likewise, in English")
    schedule.add_argument("--form", choices=list(FORMS), help="without a script: its form")
    schedule.add_argument("--scope", choices=list(SCOPES), default="unit", help="without a script: its scope")
    schedule.add_argument(
        "--kind", choices=list(KINDS), default="comprehensive", help="without a script: its kind"
    )
    write = part("write", "give a planned drill its script", _write, key=True)
    write.add_argument("file", metavar="FILE", help="script")
    listed = part("list", "the plan and what was held", _list)
    listed.add_argument("--year", type=int, help="only this year")
    cancel = part("cancel", "take it out of the plan", _cancel, key=True)
    cancel.add_argument("--reason", metavar="TEXT", required=True, help="why")


def _hold_parts(part: _Add) -> None:
    """Add what is done while one runs, ours or one of a collector below."""
    part("start", "begin it: people are woken", _start, key=True)
    inject = part("inject", "add an event to a running drill", _inject, key=True)
    inject.add_argument("file", metavar="FILE", help="one event of a script, `at` counted from now")
    part("end", "end it and keep its score", _end, key=True)
    part("announced", "drills that collectors below want us in", _announced)
    part("accept", "be in a drill of a collector below", _accept, key=True)
    part("decline", "be in it no more, or not at all", _decline, key=True)


def _prove_parts(part: _Add) -> None:
    """Add what comes after it."""
    part("score", "what was in time, late, missed", _score, key=True)
    lessons = part("lessons", "write down what was learnt", _lessons, key=True)
    lessons.add_argument("text", metavar="TEXT", help="for the report")
    report = part("report", "the after-action report", _report, key=True)
    report.add_argument("--as", dest="kind", choices=["docx", "pdf", "json"], default="docx", help="form")
    report.add_argument("--to", metavar="FILE", required=True, help="where to write it")
    proof = part("proof", "the year's drills of every unit; exit 1 where one lacks its own", _proof)
    proof.add_argument("--year", type=int, help="default: this year")


def run(args: argparse.Namespace) -> int:
    """Carry out the part that was asked for."""
    at: datetime = getattr(args, "at", None) or _now()
    world = with_working_days(world_of(args), at, at)
    answer = args.part(args, world, Teller(language_of(args), args.json))
    return int(asyncio.run(answer) if asyncio.iscoroutine(answer) else answer)


def _check(args: argparse.Namespace, world: World, teller: Teller) -> int:
    script = _script(args.file, world)
    teller.say(f"{args.file}:无误", f"{args.file}: no errors")
    if args.json:
        teller.document({"ok": True, "script": script})
    return 0


async def _rehearse(args: argparse.Namespace, world: World, teller: Teller) -> int:
    from ..app.rehearsal import rehearse  # noqa: PLC0415 - `--help` starts without a server's libraries

    script, unit = _script(args.file, world), _unit(args.unit, world)
    at = args.at or _now()
    with tempfile.TemporaryDirectory(prefix="fengsui-rehearsal-") as folder:
        found = await rehearse(world, script, unit, at, Path(folder))
    zone = at.tzinfo if args.at else ZoneInfo(world.registry.units[unit].timezone)
    if args.json:
        teller.document({"ok": True, "drill": True, "simulated": True, "started": at, **_fields(found)})
    else:
        teller.rehearsed(found, zone)
    return 0


def _deed(work: Callable[..., Awaitable[Any]]) -> Callable[[argparse.Namespace, World], Awaitable[Any]]:
    async def call(args: argparse.Namespace, world: World) -> Any:  # noqa: ANN401 - whatever it finds
        from .drill_desk import Desk  # noqa: PLC0415 - see above

        async with Desk.open(world, _actor(), _now()) as desk:
            return await work(desk, args)

    return call


async def _schedule(args: argparse.Namespace, world: World, teller: Teller) -> int:
    script = _script(args.file, world) if args.file else None
    if script is None and not (args.name and args.form):
        raise PermanentError("schedule: found neither a script nor --name and --form, expected one of both")
    unit = _unit(args.unit, world)
    units = list(dict.fromkeys([unit, *(_unit(one, world) for one in args.others)]))
    planned = {
        "name": script.name.zh if script else args.name,
        "name_en": script.name.en if script else args.name_en or args.name,
        "form": script.form if script else args.form,
        "scope": script.scope if script else args.scope,
        "kind": script.kind if script else args.kind,
        "script": script,
        "planned_at": args.at,
        "superior": "waiting" if args.superior else "outside",
    }
    drill = await _deed(lambda desk, _: desk.schedule(unit, units, planned))(args, world)
    teller.drill(drill, "已列入计划", "is in the plan")
    return 0


async def _write(args: argparse.Namespace, world: World, teller: Teller) -> int:
    script = _script(args.file, world)
    drill = await _deed(lambda desk, args: desk.write(args.id, script))(args, world)
    teller.drill(drill, "脚本已写入", "has its script")
    return 0


async def _list(args: argparse.Namespace, world: World, teller: Teller) -> int:
    drills = await _deed(lambda desk, args: desk.listed(args.year))(args, world)
    teller.listed(drills)
    return 0


async def _start(args: argparse.Namespace, world: World, teller: Teller) -> int:
    drill = await _deed(lambda desk, args: desk.start(args.id))(args, world)
    teller.drill(drill, "已开始", "has begun")
    return 0


async def _inject(args: argparse.Namespace, world: World, teller: Teller) -> int:
    from .drill_desk import read_event  # noqa: PLC0415 - see above

    event = read_event(read_text(args.file), args.file)
    n = await _deed(lambda desk, args: desk.inject(args.id, event))(args, world)
    teller.say(f"事件 {n} 已注入", f"event {n} is armed")
    if args.json:
        teller.document({"drill": args.id, "n": n})
    return 0


async def _end(args: argparse.Namespace, world: World, teller: Teller) -> int:
    drill = await _deed(lambda desk, args: desk.end(args.id))(args, world)
    teller.drill(drill, "已结束", "has ended")
    return 0


async def _cancel(args: argparse.Namespace, world: World, teller: Teller) -> int:
    drill = await _deed(lambda desk, args: desk.cancel(args.id, args.reason))(args, world)
    teller.drill(drill, "已取消", "is out of the plan")
    return 0


async def _score(args: argparse.Namespace, world: World, teller: Teller) -> int:
    sheet = await _deed(lambda desk, args: desk.score(args.id))(args, world)
    teller.sheet(sheet)
    return 0


async def _lessons(args: argparse.Namespace, world: World, teller: Teller) -> int:
    drill = await _deed(lambda desk, args: desk.lessons(args.id, args.text))(args, world)
    teller.drill(drill, "总结已写入", "has its lessons")
    return 0


async def _report(args: argparse.Namespace, world: World, teller: Teller) -> int:
    body = await _deed(lambda desk, args: desk.report(args.id, args.kind, language_of(args)))(args, world)
    _write_file(args.to, body)
    teller.say(f"{args.to}:{len(body)} 字节", f"{args.to}: {len(body)} bytes")
    if args.json:
        teller.document({"drill": args.id, "file": args.to, "bytes": len(body)})
    return 0


async def _proof(args: argparse.Namespace, world: World, teller: Teller) -> int:
    year = args.year or _now().astimezone(ZoneInfo(world.registry.units[world.settings.unit].timezone)).year
    proofs = await _deed(lambda desk, _: desk.proof(year))(args, world)
    teller.proofs(proofs, world.registry)
    return 1 if any(proof.lacks for proof in proofs) else 0


async def _announced(args: argparse.Namespace, world: World, teller: Teller) -> int:
    teller.announced(await _deed(lambda desk, _: desk.announced())(args, world))
    return 0


async def _accept(args: argparse.Namespace, world: World, teller: Teller) -> int:
    teller.announced([await _deed(lambda desk, args: desk.decide(args.id, "accepted"))(args, world)])
    return 0


async def _decline(args: argparse.Namespace, world: World, teller: Teller) -> int:
    teller.announced([await _deed(lambda desk, args: desk.decide(args.id, "declined"))(args, world)])
    return 0


def _script(file: str, world: World) -> Script:
    from ..regimes.case import Facts  # noqa: PLC0415 - see above

    known = frozenset(Facts.__struct_fields__) | {"crime_suspected"}
    script = read_script(read_text(file), file, facts=known)
    for event in script.events:
        asset = event.incident.asset if event.incident else None
        if asset is not None and world.registry.asset(asset) is None:
            raise PermanentError(f"{file}: found the asset {asset!r}, expected one of the register")
        klass = event.incident.klass if event.incident else None
        if klass is not None and klass not in world.classes.by_code:
            raise PermanentError(f"{file}: found the class {klass!r}, expected one of GB/T 20986-2023")
    if script.plan is not None and script.plan not in world.plans:
        raise PermanentError(
            f"{file}: found the plan {script.plan!r}, expected one of {', '.join(world.plans)}"
        )
    return script


def _write_file(path: str, body: bytes) -> None:
    try:
        Path(path).write_bytes(body)
    except OSError as error:
        raise PermanentError(f"{path}: {error.strerror}") from None


def _unit(key: str, world: World) -> str:
    unit = key or world.settings.unit
    if unit not in world.registry.units:
        known = ", ".join(sorted(world.registry.units))
        raise PermanentError(f"--unit: found {unit!r}, expected one of {known}")
    return unit


def _fields(found: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(found, name) for name in found.__struct_fields__}


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a command is its own clock


def _actor() -> str:
    try:
        return f"user:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:  # a container may have no name for it
        return f"user:{os.getuid()}"
