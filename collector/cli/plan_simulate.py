"""`plan simulate`: what a plan would do from a moment on, and whom it would wake."""

import argparse
import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..plans import Plan, unpin
from .telling import language_of, time_of

if TYPE_CHECKING:
    from ..runs.simulate import Directory, Simulation
    from ..world import World

_WORDS = {
    "zh": {
        "begins": "开始",
        "asks": "待办",
        "wakes": "通知",
        "overdue": "超时,告知",
        "ends": "结束",
        "nobody": "未指定登记簿",
    },
    "en": {
        "begins": "begins",
        "asks": "asks",
        "wakes": "wakes",
        "overdue": "overdue, tells",
        "ends": "ends",
        "nobody": "no register named",
    },
}


def add_arguments(parser: Any) -> None:  # noqa: ANN401 - argparse does not export the class
    """Add what the command takes beside its file."""
    parser.add_argument("--at", metavar="TIME", type=time_of, required=True, help="ISO 8601 with offset")
    parser.add_argument("--confirm", choices=["all"], help="people do at once what they are asked")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def tell(
    args: argparse.Namespace, plan: Plan, pinned: tuple[dict[str, Any], str], world: "World | None"
) -> int:
    """Simulate a plan and print what would happen."""
    from ..runs.simulate import simulate  # noqa: PLC0415 - `plan check` starts without it

    body, sha256 = pinned
    found = asyncio.run(
        simulate(unpin(body), sha256, args.at, _directory(world, args.at), confirm_all=args.confirm == "all")
    )
    document = found.document(args.at)
    if args.json:
        print(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        _print(plan, found, document, language_of(args))
    return 0


def _directory(world: "World | None", begin: datetime) -> "Directory":
    from ..escalation import OnDuty  # noqa: PLC0415 - `plan check` starts without it
    from .loading import with_working_days  # noqa: PLC0415 - likewise

    world = world and with_working_days(world, begin, begin)

    def people(role: str, at: datetime) -> Sequence[str]:
        if world is None:
            return ()
        duty = OnDuty(registry=world.registry, rosters=world.rosters, at=at)
        return [person.name for person in duty.persons(world.settings.unit, role)]

    return people


def _print(plan: Plan, found: "Simulation", document: dict[str, Any], language: str) -> None:
    words = _WORDS[language]
    print(f"{plan.name.in_language(language)}: {document['state']}")
    for moment in document["moments"]:
        who = (
            f" {moment['role']} ({', '.join(moment['people']) or words['nobody']})" if moment["role"] else ""
        )
        state = f" [{moment['state']}]" if moment["state"] else ""
        print(f"  {moment['at']}  {words[moment['what']]}{who}  {moment['title'][language]}{state}")
    print(f"  {found.drilled.ended.astimezone(datetime.fromisoformat(document['at']).tzinfo).isoformat()}")
