"""`backup DIR`: everything of this collector, while it runs, into a folder."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import msgspec

from wire.vocabulary import Name

from ..settings import Settings
from ..shipped import release
from .loading import settings_of
from .telling import language_of

if TYPE_CHECKING:
    from ..backups import Manifest

WHY = {
    "made_anew": Name("每次启动时重新生成", "made anew at each start"),
    "set_aside": Name("此前恢复时移开的旧数据", "set aside by an earlier restore"),
    "no_file": Name("不是普通文件", "not a plain file"),
    "not_named": Name("设置中未写明的目录", "a folder that the settings do not name"),
    "too_large": Name("设置中未写明,且超过 16 MB", "not named by the settings, and larger than 16 MB"),
    "missing": Name("设置中写明但不存在", "named by the settings, and not there"),
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "backup", help="keys, records, evidence and settings into a folder, while it runs"
    )
    parser.add_argument("folder", metavar="DIR", help="a new or an empty folder")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Take the backup, say what is in it and what was left out.

    Raises:
        FengsuiError: It could not be taken; the text says why.
    """
    # The database's libraries are imported only here: `--help` starts without them.
    from ..backups import take  # noqa: PLC0415 - see above

    settings = settings_of(args)
    zh = language_of(args) == "zh"
    folder = Path(args.folder).absolute()
    now = datetime.now(UTC)  # noqa: TID251 - a command is its own clock
    manifest = asyncio.run(
        take(settings, Path(args.config), folder, now=now, version=release(), tell=Progressing(zh=zh))
    )
    journalled = asyncio.run(_enter(settings, folder, manifest, now))
    if args.json:
        print(msgspec.json.encode(_document(folder, manifest, journalled=journalled)).decode())
    for line in _lines(folder, manifest, zh=zh):
        print(line, file=sys.stderr)
    return 0


PARTS = {
    "state": Name("状态目录", "state folder"),
    "settings": Name("设置", "settings"),
    "outside": Name("设置", "settings"),
    "state.db": Name("状态数据库", "state database"),
    "events.db": Name("事件日志", "event log"),
    "files": Name("校验文件", "checking files"),
    "databases": Name("校验数据库与日志链", "checking databases and journal"),
    "copy": Name("复制", "copying"),
    "into_state": Name("写入状态数据库", "writing the state database"),
    "into_events": Name("写入事件日志", "writing the event log"),
}


class Progressing:
    """Says on stderr how far it is, once a second; what is done within one says nothing.

    Args:
        zh: Whether in Chinese.
        steady: Seconds of a clock that only goes forward.
    """

    def __init__(self, *, zh: bool, steady: Callable[[], float] = monotonic) -> None:
        self._language = "zh" if zh else "en"
        self._steady = steady
        self._told = steady()

    def __call__(self, part: str, done: int, total: int) -> None:
        """Hear that `done` of `total` of a part are done."""
        if self._steady() - self._told >= 1:
            self._told = self._steady()
            share = 100 * done // total if total else 100
            print(f"{PARTS[part].in_language(self._language)} {share} %", file=sys.stderr, flush=True)


async def _enter(settings: Settings, folder: Path, manifest: "Manifest", now: datetime) -> bool:
    """Write into the journal that a backup was taken; a database of an older schema is left as it is."""
    from ..store import journal  # noqa: PLC0415 - see `run`
    from ..store.engine import Store  # noqa: PLC0415 - see `run`
    from ..store.migrations import NEWEST  # noqa: PLC0415 - see `run`

    if manifest.schema != NEWEST:
        return False
    detail = {"folder": str(folder), "bytes": manifest.size, "host_user": os.getuid()}
    entry = journal.Entry(
        actor="system", action="backup.taken", subject=f"unit:{settings.unit}", detail=detail
    )
    store = await Store.open(settings.database_url)
    try:
        await store.run(lambda connection: journal.write(connection, entry, now))
    finally:
        await store.close()
    return True


def _document(folder: Path, manifest: "Manifest", *, journalled: bool) -> dict[str, object]:
    return {
        "folder": str(folder),
        "made_at": manifest.made_at,
        "unit": manifest.unit,
        "schema": manifest.schema,
        "files": len(manifest.files),
        "bytes": manifest.size,
        "journal_entries": manifest.journal.entries,
        "event_log_position": manifest.newest,
        "journalled": journalled,
        "left_out": manifest.left_out,
    }


def _lines(folder: Path, manifest: "Manifest", *, zh: bool) -> list[str]:
    left = [
        f"{'未备份' if zh else 'left out'}: {one.path}: {WHY[one.why].in_language('zh' if zh else 'en')}"
        for one in manifest.left_out
    ]
    files, entries = len(manifest.files), manifest.journal.entries
    if zh:
        return [
            *left,
            f"已备份到 {folder}:{files} 个文件,{manifest.size} 字节,审计日志 {entries} 条。",
            "其中有 CA 与签名私钥,未加密:请像保管密钥一样保管。",
            f"校验:fengsui-collector restore {folder} --check",
        ]
    return [
        *left,
        f"backed up to {folder}: {files} files, {manifest.size} bytes, {entries} entries of the journal.",
        "It holds the keys of the authority and of the journal, not encrypted: keep it as you keep keys.",
        f"check it: fengsui-collector restore {folder} --check",
    ]
