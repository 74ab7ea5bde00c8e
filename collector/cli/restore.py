"""`restore DIR [--check]`: look at a backup, or put it in the place of what is here."""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..errors import PermanentError
from .backup import Progressing
from .loading import settings_of
from .telling import language_of, told

if TYPE_CHECKING:
    from ..backups import Checked, Restored

_SHOWN = 20


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("restore", help="a backup into the place of what is here")
    parser.add_argument("folder", metavar="DIR", help="what `backup` made")
    parser.add_argument("--check", action="store_true", help="look at everything, change nothing")
    parser.add_argument("--replace", action="store_true", help="set aside what is here")
    parser.add_argument("--despite-faults", action="store_true", help="restore though the check finds faults")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Check or restore; 1 where the check finds a fault.

    Raises:
        FengsuiError: It is no backup, or it could not be restored; the text says why.
    """
    return _check(args) if args.check else _restore(args)


def _check(args: argparse.Namespace) -> int:
    # The database's libraries are imported only here: `--help` starts without them.
    from ..backups import check  # noqa: PLC0415 - see above

    zh = language_of(args) == "zh"
    checked = asyncio.run(check(Path(args.folder), Progressing(zh=zh)))
    manifest = checked.manifest
    if args.json:
        document = {
            "ok": not checked.faults,
            "made_at": manifest.made_at,
            "version": manifest.version,
            "unit": manifest.unit,
            "schema": manifest.schema,
            "files": len(manifest.files),
            "bytes": manifest.size,
            "journal": {
                "entries": checked.entries,
                "chains": checked.chains,
                "checkpoints": checked.checkpoints,
            },
            "left_out": manifest.left_out,
            "faults": checked.faults,
        }
        print(msgspec.json.encode(document).decode())
    for line in _checked_lines(checked, zh=zh):
        print(line, file=sys.stderr)
    return 1 if checked.faults else 0


def _checked_lines(checked: "Checked", *, zh: bool) -> list[str]:
    manifest = checked.manifest
    if checked.faults:
        return [told(PermanentError(fault), "zh" if zh else "en") for fault in checked.faults]
    at = f"{manifest.made_at:%Y-%m-%d %H:%M:%S} UTC"
    files, entries, chains = len(manifest.files), checked.entries, checked.chains
    if zh:
        return [
            f"备份完好:{at},单位 {manifest.unit},{files} 个文件",
            f"日志完整:{chains} 条链,{entries} 条记录,{checked.checkpoints} 个签名检查点",
        ]
    return [
        f"the backup is whole: {at}, unit {manifest.unit}, {files} files",
        f"the journal holds: {chains} chains, {entries} entries, {checked.checkpoints} signed checkpoints",
    ]


def _restore(args: argparse.Namespace) -> int:
    from ..backups import restore  # noqa: PLC0415 - see `_check`

    if not Path(args.config).exists():
        raise PermanentError(
            f"{args.config}: is not there; the backup has the settings: "
            f"copy {Path(args.folder) / 'settings'} to {Path(args.config).parent} first"
        )
    settings = settings_of(args)
    zh = language_of(args) == "zh"
    now = datetime.now(UTC)  # noqa: TID251 - a command is its own clock
    restored = asyncio.run(
        restore(
            Path(args.folder).resolve(),
            settings,
            replace=args.replace,
            despite_faults=args.despite_faults,
            now=now,
            tell=Progressing(zh=zh),
        )
    )
    if args.json:
        document = {
            "made_at": restored.manifest.made_at,
            "unit": restored.manifest.unit,
            "set_aside": restored.set_aside,
            "fell_due": restored.lapsed,
            "settings_differ": restored.settings_differ,
        }
        print(msgspec.json.encode(document).decode())
    for line in (_told_zh if zh else _told_en)(restored):
        print(line, file=sys.stderr)
    return 0


def _told_zh(restored: "Restored") -> list[str]:
    made = restored.manifest.made_at
    lines = [f"已恢复到 {made:%Y-%m-%d %H:%M:%S} UTC 的状态。"]
    lines += [f"原有数据在 {path}" for path in restored.set_aside]
    lines += [f"设置与备份时不同:{path}" for path in restored.settings_differ]
    lines += [
        f"已到期未报:{one.title}({one.obligation}),{one.due_at:%Y-%m-%d %H:%M} UTC"
        for one in restored.lapsed[:_SHOWN]
    ]
    if restored.lapsed:
        lines.append(f"共 {len(restored.lapsed)} 项时限已过,采集端启动后由值班时钟补报告警。")
    lines += [
        "备份之后撤销的节点、令牌和账号须再次撤销;之后接入的节点须重新接入;通知可能重发。",
        "现在可以启动采集端。",
    ]
    return lines


def _told_en(restored: "Restored") -> list[str]:
    made = restored.manifest.made_at
    lines = [f"restored to how it was at {made:%Y-%m-%d %H:%M:%S} UTC."]
    lines += [f"what was here before is in {path}" for path in restored.set_aside]
    lines += [f"the settings are not those of the backup: {path}" for path in restored.settings_differ]
    lines += [
        f"fell due, not met: {one.title_en} ({one.obligation}), {one.due_at:%Y-%m-%d %H:%M} UTC"
        for one in restored.lapsed[:_SHOWN]
    ]
    if restored.lapsed:
        lines.append(f"{len(restored.lapsed)} are past due; the duty clock tells of them at the start.")
    lines += [
        "Revoke again what was revoked since the backup: nodes, tokens, accounts.",
        "Nodes that enrolled since have to enrol again; notices may be sent again.",
        "The collector can be started now.",
    ]
    return lines
