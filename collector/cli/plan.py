"""`fengsui-collector plan`: check, drill, simulate and exchange emergency plans; no server, no database."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import PermanentError
from ..plans import Finding, Plan, examine, pin, unpin
from ..plans.model import PlaybookAction
from ..runs.owing import owed_by_class, role_sizes
from ..runs.playbooks import ENDINGS, read_text
from ..shipped import playbooks_dir
from . import DEFAULT_CONFIG, plan_exchange, plan_sign, plan_simulate
from .telling import finding_of, language_of

if TYPE_CHECKING:
    from ..world import World

_WORDS = {
    "zh": {
        "ok": "{}:无误",
        "drill": "【演练】{} {}",
        "open": "待办",
    },
    "en": {
        "ok": "{}: no errors",
        "drill": "[DRILL] {} {}",
        "open": "left open",
    },
}


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not export the class
    """Add `plan` with its own commands."""
    parser = subparsers.add_parser("plan", help="check and drill emergency plans")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    check = commands.add_parser("check", help="find every mistake of plans")
    check.add_argument("files", nargs="+", metavar="FILE", type=Path)
    check.add_argument("--json", action="store_true", help="one JSON document on stdout")
    check.set_defaults(plan_command=_check)
    run = commands.add_parser("run", help="run a plan through without effects")
    run.add_argument("file", metavar="FILE", type=Path)
    run.add_argument("--drill", action="store_true", required=True, help="required: nothing is really done")
    run.add_argument("--confirm", choices=["all"], help="confirm everything that people are asked")
    run.add_argument("--json", action="store_true", help="one JSON document on stdout")
    run.set_defaults(plan_command=_drill)
    foresee = commands.add_parser("simulate", help="what a plan would do, and whom it would wake")
    foresee.add_argument("file", metavar="FILE", type=Path)
    plan_simulate.add_arguments(foresee)
    foresee.set_defaults(plan_command=_simulate)
    plan_exchange.add_parsers(commands)
    plan_sign.add_parsers(commands)


def run(args: argparse.Namespace) -> int:
    """Carry out the command that was asked for."""
    command: Callable[[argparse.Namespace, Callable[[], World | None]], int] = args.plan_command
    return command(args, lambda: _world(args))


def _world(args: argparse.Namespace) -> "World | None":
    """The settings and all they name; None where none were named and none stand at the usual place."""
    if args.config == DEFAULT_CONFIG and not Path(args.config).exists():
        return None
    from .loading import world_of  # noqa: PLC0415 - a check without settings starts without what reads them

    return world_of(args)


def _check(args: argparse.Namespace, world: "Callable[[], World | None]") -> int:
    folders = [playbooks_dir(), *{path.resolve().parent for path in args.files}]
    bodies = _beside(folders, args.files)
    known = world()
    found = [(path, _findings(path, bodies, known)) for path in args.files]
    wrong = any(finding.severity == "error" for _, findings in found for finding in findings)
    if args.json:
        _print_json({"ok": not wrong, "files": [_file_document(path, each) for path, each in found]})
    for path, findings in found:
        for finding in findings:
            print(finding_of(finding, language_of(args)), file=sys.stderr)
        if not findings:
            print(_words(args)["ok"].format(path), file=sys.stderr)
    return 1 if wrong else 0


def _known_plans(files: Sequence[Path]) -> frozenset[str]:
    folders = {playbooks_dir(), *(path.parent for path in files)}
    beside = {path.stem for folder in folders for path in folder.glob("*.y*ml")}
    return frozenset(beside | {path.stem for path in files})


def _beside(folders: Sequence[Path], files: Sequence[Path]) -> dict[str, Plan]:
    """All plans that can be read, circular ones too: the circle is told where it begins."""
    known = _known_plans(files)
    found = [path for folder in folders for path in sorted(folder.glob("*")) if path.suffix in ENDINGS]
    texts = {path.stem: (path, read_text(path)[0]) for path in (*found, *files)}
    examined = {
        name: examine(text, str(path), plans=known).plan for name, (path, text) in texts.items() if text
    }
    return {name: plan for name, plan in examined.items() if plan is not None}


def _findings(path: Path, bodies: Mapping[str, Plan], world: "World | None") -> Sequence[Finding]:
    text, findings = read_text(path)
    if text is None:
        return findings
    plan = bodies.get(path.stem)
    owed: Mapping[str, frozenset[str]] = {}
    sizes: Mapping[str, int] = {}
    if world is not None:
        unit = world.registry.units[world.settings.unit]
        now = datetime.now(UTC)  # noqa: TID251 - the command line is where time comes in
        owed = owed_by_class(unit, world.regimes, plan.classes if plan else (), now)
        sizes = role_sizes(world.registry, unit.id)
    known = _known_plans([path]) | bodies.keys()
    return examine(text, str(path), plans=known, owed=owed, role_sizes=sizes, bodies=bodies).findings


def _file_document(path: Path, findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "file": str(path),
        "ok": not any(finding.severity == "error" for finding in findings),
        "findings": [
            {"severity": finding.severity, **dict(zip(finding.mistake._fields, finding.mistake, strict=True))}
            for finding in findings
        ],
    }


def _simulate(args: argparse.Namespace, world: "Callable[[], World | None]") -> int:
    plan, findings = _read(args.file)
    for finding in findings:
        print(finding_of(finding, language_of(args)), file=sys.stderr)
    if plan is None:
        return 1
    return plan_simulate.tell(args, plan, _pinned(plan, args.file), world())


def _drill(args: argparse.Namespace, _: object) -> int:
    from ..runs.drill import drill  # noqa: PLC0415 - `plan check` starts without the engine's libraries

    plan, findings = _read(args.file)
    for finding in findings:
        print(finding_of(finding, language_of(args)), file=sys.stderr)
    if plan is None:
        if args.json:
            told = _file_document(args.file, findings)["findings"]
            _print_json({"ok": False, "drill": True, "steps": [], "end": None, "findings": told})
        return 1
    body, sha256 = _pinned(plan, args.file)
    now = datetime.now(UTC)  # noqa: TID251 - the command line is where time comes in
    drilled = asyncio.run(drill(unpin(body), sha256, now, confirm_all=args.confirm == "all"))
    if args.json:
        _print_json(drilled.document())
    else:
        _tell(args, plan, drilled.document())
    return 0 if drilled.ok else 1


def _read(path: Path) -> tuple[Plan | None, Sequence[Finding]]:
    text, findings = read_text(path)
    if text is None:
        return None, findings
    examined = examine(text, str(path), plans=_known_plans([path]))
    return examined.plan, examined.findings


def _pinned(plan: Plan, path: Path) -> tuple[dict[str, Any], str]:
    try:
        return pin(plan, _called_by(plan, path))
    except ValueError as error:
        raise PermanentError(f"{path}: expected {error}") from error


def _called_by(plan: Plan, path: Path) -> Mapping[str, Plan]:
    """The plans that a plan may call: those beside it, and the shipped ones."""
    if not any(isinstance(step, PlaybookAction) for step in plan.steps.values()):
        return {}
    return _beside([playbooks_dir(), path.resolve().parent], [path])


def _tell(args: argparse.Namespace, plan: Plan, document: Mapping[str, Any]) -> None:
    language = language_of(args)
    print(_words(args)["drill"].format(plan.name.in_language(language), document["state"]))
    for step in document["steps"]:
        ended = step["ended"] or _words(args)["open"]
        title = step["title"][language]
        print(
            f"  {step['started']}  {ended}  {step['state']:<9} {title}"
            + (f"  ({step['why']})" if step["why"] else "")
        )


def _words(args: argparse.Namespace) -> Mapping[str, str]:
    return _WORDS[language_of(args)]


def _print_json(document: Mapping[str, Any]) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2))
