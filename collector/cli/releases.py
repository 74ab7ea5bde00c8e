"""`releases init|add|withdraw|refresh|renew-root|keys|replace-key|check`: the mirror of updates."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from wire.releases import Index
from wire.usage import Parser
from wire.vocabulary import Name

from ..trust.secret_files import read_secret
from .telling import language_of

if TYPE_CHECKING:
    from ..trust.release_keys import Keys
    from ..trust.releases import Holder, Mirror, Releases

_MADE = Name(
    "镜像已建立。请将 {root} 分发到各节点(update.root)；密钥目录请离线分处保管。",
    "the mirror is made. Bring {root} to the nodes (update.root), and keep the keys offline and apart.",
)
_SIGNED = Name("已签名:{versions}。", "signed; it offers {versions}.")
_REFRESHED = Name("已重新签名。", "signed again.")
_ROOT = Name(
    "可信根已续期:{root};节点凭旧根即可取得。",
    "the root holds longer: {root}; nodes get it by the one they trust.",
)
_REPLACED = Name(
    "新密钥 {key} 在 {file}，即日生效；旧密钥 {old} 不再有效。请将镜像同步到服务器，节点凭旧根即可取得新根。",
    "the new key {key} lies in {file} and counts from now on; {old} counts no more. "
    "Bring the mirror to its server: nodes follow by the root they trust.",
)
_ELSEWHERE = Name("不在此处", "not here")
_WHOLE = Name(
    "镜像完好:{versions}。有效至:{expires}。",
    "the mirror is whole; it offers {versions}. It holds: {expires}.",
)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its parts."""
    parser = commands.add_parser("releases", help="the mirror that agents update from")
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True, parser_class=Parser)
    init = _part(parts, "init", "make keys and an empty mirror")
    init.add_argument("--makers", type=int, default=3, metavar="N", help="how many keys sign")
    init.add_argument("--threshold", type=int, default=2, metavar="N", help="how many of them are needed")
    add = _part(parts, "add", "offer a bundle")
    add.add_argument("bundle", metavar="BUNDLE", help="made by packaging/make_bundle.py")
    withdraw = _part(parts, "withdraw", "say that no node shall run a version")
    withdraw.add_argument("release", metavar="VERSION", help="its version")
    _part(parts, "refresh", "say again that all is as it was, with the online key")
    _part(parts, "renew-root", "let the trusted root hold for longer")
    listed = _part(parts, "keys", "the keys that count, and where those are that are here", keys=False)
    _add_keys(listed, required=False)
    changed = _part(parts, "replace-key", "put a new key in the place of one that was lost or stolen")
    changed.add_argument("key", metavar="KEY", help="its id, or the first digits: `releases keys` lists them")
    changed.add_argument("--new", required=True, metavar="DIR", help="folder for the new key")
    _part(parts, "check", "look at everything as a node does", keys=False)


def run(args: argparse.Namespace) -> int:
    """Do one part.

    Raises:
        PermanentError: the mirror or the keys can't be used; the text says why.
    """
    # TUF's library is imported only here: `--help` starts without it.
    from ..trust.release_keys import Keys  # noqa: PLC0415 - see above
    from ..trust.releases import Releases  # noqa: PLC0415

    mirror = Releases(Path(args.folder), datetime.now(UTC))  # noqa: TID251 - a command is its own clock
    if args.part == "check":
        return _check(mirror.check(), args)
    password = read_secret(args.password_file) if args.password_file else None
    keys = Keys(*map(Path, args.keys or ()), password=password)
    return _list(mirror.holders(keys), args) if args.part == "keys" else _sign(mirror, keys, args)


def _list(holders: "tuple[Holder, ...]", args: argparse.Namespace) -> int:
    if args.json:
        rows = [{"role": one.role, "key": one.key, "file": one.file and str(one.file)} for one in holders]
        print(json.dumps({"keys": rows}))
        return 0
    for one in holders:
        print(f"{one.role:8} {one.key}  {one.file or _ELSEWHERE.in_language(language_of(args))}")
    return 0


def _sign(mirror: "Releases", keys: "Keys", args: argparse.Namespace) -> int:
    if args.part == "init":
        root = mirror.begin(keys, makers=args.makers, threshold=args.threshold)
        return _tell(args, _MADE, {"root": str(root)})
    if args.part == "replace-key":
        made = mirror.replace_key(args.key, keys, Path(args.new))
        return _tell(args, _REPLACED, {"key": made.key, "file": str(made.file), "old": args.key})
    if args.part == "renew-root":
        return _tell(args, _ROOT, {"root": str(mirror.renew_root(keys))})
    if args.part == "refresh":
        mirror.refresh(keys)
        return _tell(args, _REFRESHED, {})
    index = mirror.add(Path(args.bundle), keys) if args.part == "add" else None
    index = index or mirror.withdraw(args.release, keys)
    return _tell(args, _SIGNED, {"versions": _versions(index)})


def _check(found: "Mirror", args: argparse.Namespace) -> int:
    expires = {role: at.isoformat() for role, at in found.expires.items()}
    if args.json:
        print(
            json.dumps(
                msgspec.to_builtins(found.index) | {"expires": expires, "thresholds": found.thresholds}
            )
        )
        return 0
    dates = ", ".join(f"{role} {at[:10]}" for role, at in expires.items())
    return _tell(args, _WHOLE, {"versions": _versions(found.index), "expires": dates})


def _versions(index: Index) -> str:
    return ", ".join(dict.fromkeys(one.version for one in index.releases)) or "-"


def _tell(args: argparse.Namespace, text: Name, values: dict[str, str]) -> int:
    if args.json:
        print(json.dumps({"part": args.part} | values))
    else:
        print(text.in_language(language_of(args)).format(**values), file=sys.stderr)
    return 0


def _part(parts: "argparse._SubParsersAction[Parser]", name: str, does: str, *, keys: bool = True) -> Parser:
    part = parts.add_parser(name, help=does)
    part.add_argument("folder", metavar="MIRROR", help="folder with metadata/ and targets/")
    if keys:
        _add_keys(part, required=True)
    part.add_argument("--json", action="store_true", help="one JSON document on stdout")
    part.add_argument("--lang", choices=["zh", "en"], default=argparse.SUPPRESS, help="language of texts")
    return part


def _add_keys(part: argparse.ArgumentParser, *, required: bool) -> None:
    part.add_argument(
        "--keys", action="append", required=required, metavar="DIR", help="folder of keys; may be given again"
    )
    part.add_argument("--password-file", metavar="FILE", help="what the keys are encrypted with")
