"""`token list`: which tokens let somebody in, and with `--all` those that no longer do."""

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import to_builtins

from wire.vocabulary import Name

from ..settings import Settings
from .loading import settings_of
from .telling import language_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wire.usage import Parser

    from ..store.tokens import Token

_STATES = {
    "usable": Name("可用", "usable"),
    "expired": Name("已过期", "expired"),
    "spent": Name("已用完或收回", "used up or taken back"),
    "revoked": Name("已收回", "taken back"),
}


def add_parser(parts: "argparse._SubParsersAction[Parser]") -> None:
    """Add the subcommand."""
    part = parts.add_parser("list", help="the tokens that are in use")
    part.add_argument("--all", action="store_true", help="also those that no longer are")
    part.add_argument("--json", action="store_true", help="one JSON document on stdout")
    part.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="settings file")
    part.add_argument("--lang", choices=["zh", "en"], default=argparse.SUPPRESS, help="language of texts")
    part.set_defaults(part=run)


def run(args: argparse.Namespace) -> int:
    """Print them, oldest first; a secret is never shown again, for only its digest is kept."""
    settings = settings_of(args)
    language = language_of(args)
    now = datetime.now(UTC)  # noqa: TID251 - a command is its own clock
    tokens = [token for token in asyncio.run(_read(settings)) if args.all or token.state(now) == "usable"]
    if args.json:
        listed = [to_builtins(token) | {"state": token.state(now)} for token in tokens]
        print(json.dumps({"tokens": listed}, ensure_ascii=False))
        return 0
    for line in _lines(tokens, now, language):
        print(line)
    if not tokens:
        print("没有在用令牌" if language == "zh" else "no token is in use", file=sys.stderr)
    return 0


async def _read(settings: Settings) -> "list[Token]":
    # The database's libraries are imported only here: `--help` starts without them.
    from ..store.engine import Store  # noqa: PLC0415 - see above
    from ..store.tokens import all_tokens  # noqa: PLC0415 - see above

    store = await Store.open(settings.database_url)
    try:
        async with store.read() as connection:
            return await all_tokens(connection)
    finally:
        await store.close()


def _lines(tokens: "Sequence[Token]", now: datetime, language: str) -> list[str]:
    return [
        f"{token.id}  {_what(token, language)}  {_STATES[token.state(now)].in_language(language)}"
        for token in tokens
    ]


def _what(token: "Token", language: str) -> str:
    made = f"{token.created_at:%Y-%m-%d %H:%M}"
    if token.purpose == "api":
        return f"接口 {token.role},{made} 生成" if language == "zh" else f"api {token.role}, made {made}"
    until = f"{token.expires_at:%Y-%m-%d %H:%M}"
    if language == "zh":
        return f"接入 {token.unit}({token.kind}),剩 {token.uses_left} 次,{made} 生成,{until} 前有效"
    return f"enrolment {token.unit} ({token.kind}), {token.uses_left} left, made {made}, until {until}"
