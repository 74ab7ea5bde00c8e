"""`plan import` and `plan export`: CACAO 2.0 playbooks in and out."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import PermanentError
from ..plans.cacao import identifier
from ..runs.playbooks import read_playbooks, read_text
from ..shipped import playbooks_dir
from . import plan_sign
from .telling import finding_of, language_of, line_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..world import World


def add_parsers(commands: Any) -> None:  # noqa: ANN401 - argparse does not export the class
    """Add both commands."""
    taken = commands.add_parser("import", help="a CACAO 2.0 playbook as a plan's YAML")
    taken.add_argument("file", metavar="FILE.json", type=Path)
    plan_sign.add_trust(taken)
    taken.add_argument("--to", metavar="FOLDER", type=Path, help="write FOLDER/ID.yaml; default: stdout")
    taken.set_defaults(plan_command=_import)
    given = commands.add_parser("export", help="a plan as a CACAO 2.0 playbook on stdout")
    given.add_argument("plan", metavar="ID", help="a plan's id, or its file")
    given.set_defaults(plan_command=_export)


def _import(args: argparse.Namespace, _: object) -> int:
    from ..plans.cacao_import import import_playbook  # noqa: PLC0415 - `plan check` starts without it

    text, findings = read_text(args.file)
    now = datetime.now(UTC)  # noqa: TID251 - the command line is where time comes in
    trusted = plan_sign.trusted_of(args.trust)
    taken = import_playbook(text, str(args.file), trusted=trusted, now=now) if text is not None else None
    for finding in taken.findings if taken is not None else findings:
        print(finding_of(finding, language_of(args)), file=sys.stderr)
    if taken is None or taken.plan is None:
        return 1
    if args.to is None:
        print(taken.yaml, end="")
        return 0
    target = args.to / f"{taken.plan.id}.yaml"
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(taken.yaml)
    except OSError as error:
        raise PermanentError(f"{target}: {error.strerror}") from None
    print(target, file=sys.stderr)
    return 0


def _export(args: argparse.Namespace, settings: "Callable[[], World | None]") -> int:
    from ..plans.cacao_import import playbook_of  # noqa: PLC0415 - `plan check` starts without it

    world = settings()
    named = Path(args.plan)
    if named.suffix in {".yaml", ".yml"}:
        folder, name = named.resolve().parent, named.stem
        shelf = read_playbooks([playbooks_dir(), folder])
        plans, errors = shelf.plans, [each for each in shelf.errors if Path(each.file).stem == name]
    else:
        name = args.plan
        plans = world.plans if world is not None else read_playbooks([playbooks_dir()]).plans
        errors = []
    for mistake in errors:
        print(line_of(mistake, language_of(args)), file=sys.stderr)
    if name not in plans:
        raise PermanentError(
            f"{args.plan}: found no plan of this id, expected one of {', '.join(sorted(plans))}"
        )
    unit = world.settings.unit if world is not None else "fengsui"
    now = datetime.now(UTC)  # noqa: TID251 - the command line is where time comes in
    playbook = playbook_of(plans[name], created_by=identifier("identity", unit), now=now)
    print(json.dumps(playbook, ensure_ascii=False, indent=2))
    return 0
