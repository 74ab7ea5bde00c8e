"""`ca status|rotate|switch|retire`: replace the authority under a fleet; each step wants a new start.

`status` says which nodes do not trust yet what is to be trusted; `retire` would lock them out, and does not
without `--anyway`.
"""

import argparse
import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wire.signed import digest_of
from wire.usage import Parser
from wire.vocabulary import Name

from ..errors import PermanentError
from ..settings import Settings, read_settings
from ..world import read_text

if TYPE_CHECKING:
    from ..store.nodes import Trusting

_STEPS = {
    "rotate": Name(
        "已生成新 CA。重启采集端;各节点下次联系时即信任新 CA,之后执行 ca switch。",
        "the next authority is made. Start the collector anew; nodes trust it from their next contact on, "
        "then: ca switch",
    ),
    "switch": Name(
        "新 CA 开始签发。重启采集端;ca status 显示各节点均已换发证书后执行 ca retire。",
        "the next authority signs. Start the collector anew; when all have renewed, as ca status shows: "
        "ca retire",
    ),
    "retire": Name("旧 CA 已停用。重启采集端。", "the old authority is retired. Start the collector anew."),
}
_STATES = {
    "none": Name("未在更换 CA", "no authority is being replaced"),
    "rotated": Name("已生成新 CA,下一步:ca switch", "the next authority is made; then: ca switch"),
    "switched": Name(
        "新 CA 已签发,下一步:ca retire", "the next authority signs; then, when all have renewed: ca retire"
    ),
}
_ALL = Name("全部 {count} 个节点均信任现行 CA", "all {count} nodes trust what is to be trusted")
_BEHIND = Name(
    "{count} 个节点中有 {behind} 个尚未信任现行 CA:", "{behind} of {count} nodes do not trust it yet:"
)
_LOCKED = Name(
    "{behind} 个节点尚未换发证书,停用旧 CA 后将无法接入:{names}。等待其联系(ca status),或加 --anyway。",
    "{behind} nodes have not renewed yet and could not come in any more: {names}. Wait for them "
    "(ca status), or say --anyway",
)
_NAMED = 5


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its subcommands."""
    parser = commands.add_parser("ca", help="replace the authority")
    parts = parser.add_subparsers(dest="step", metavar="STEP", required=True, parser_class=Parser)
    for step in ("status", *_STEPS):
        part = parts.add_parser(step)
        part.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="settings file")
        part.add_argument("--lang", choices=["zh", "en"], default=argparse.SUPPRESS, help="language of texts")
        if step == "status":
            part.add_argument("--json", action="store_true", help="one JSON document on stdout")
        if step == "retire":
            part.add_argument("--anyway", action="store_true", help="lock out nodes that have not renewed")


def run(args: argparse.Namespace) -> int:
    """Do one step, or tell where it stands.

    Raises:
        PermanentError: the step is not the one that comes now, or would lock nodes out.
    """
    # The certificate library is imported only here: `--help` starts without it.
    from ..trust import rotation  # noqa: PLC0415 - see above

    settings = read_settings(read_text(args.config), args.config, os.environ)
    language = args.lang or settings.language
    if args.step == "status":
        return _status(args, settings, language)
    now = datetime.now(UTC)  # noqa: TID251 - a command is its own clock
    if args.step == "rotate":
        rotation.rotate(settings.state, settings.unit, now)
    elif args.step == "switch":
        rotation.switch(settings.state)
    else:
        if rotation.step_of(settings.state) == "switched" and not args.anyway:
            _hold_back(settings, language)
        rotation.retire(settings.state)
    print(_STEPS[args.step].in_language(language), file=sys.stderr)
    return 0


def _status(args: argparse.Namespace, settings: Settings, language: str) -> int:
    from ..trust import rotation  # noqa: PLC0415 - as above

    step = rotation.step_of(settings.state)
    trusted = _trusted(settings)
    nodes = asyncio.run(_nodes(settings))
    behind = [node for node in nodes if node.authorities != trusted]
    if args.json:
        told = {
            "step": step,
            "authorities": trusted,
            "nodes": len(nodes),
            "behind": [_row(one) for one in behind],
        }
        print(json.dumps(told, ensure_ascii=False))
        return 0
    print(_STATES[step].in_language(language))
    words = (_BEHIND if behind else _ALL).in_language(language)
    print(words.format(count=len(nodes), behind=len(behind)))
    for one in behind:
        seen = one.last_seen.isoformat(timespec="seconds") if one.last_seen else "-"
        print(f"  {one.unit}  {one.host_name}  {one.kind}  {seen}  {one.id}")
    return 0


def _hold_back(settings: Settings, language: str) -> None:
    trusted = _trusted(settings)
    behind = [node for node in asyncio.run(_nodes(settings)) if node.authorities != trusted]
    if behind:
        names = ", ".join(one.host_name for one in behind[:_NAMED]) + (" …" if len(behind) > _NAMED else "")
        raise PermanentError(_LOCKED.in_language(language).format(behind=len(behind), names=names))


def _trusted(settings: Settings) -> str:
    from ..trust.ca import Authority  # noqa: PLC0415 - as above

    now = datetime.now(UTC)  # noqa: TID251 - a command is its own clock
    return digest_of(Authority.at(settings.state, settings.unit, now).trusted)


async def _nodes(settings: Settings) -> "list[Trusting]":
    # The database's libraries are imported only here: `--help` starts without them.
    from ..store.engine import Store  # noqa: PLC0415 - see above
    from ..store.nodes import trust_of_nodes  # noqa: PLC0415 - see above

    store = await Store.open(settings.database_url)
    try:
        async with store.read() as connection:
            return await trust_of_nodes(connection)
    finally:
        await store.close()


def _row(node: "Trusting") -> dict[str, str | None]:
    return {
        "id": node.id,
        "unit": node.unit,
        "kind": node.kind,
        "host_name": node.host_name,
        "last_seen": node.last_seen.isoformat() if node.last_seen else None,
    }
