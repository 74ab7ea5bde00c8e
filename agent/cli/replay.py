"""`fengsui-agent replay`: a recorded file through the same code that reads it live."""

import argparse
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import msgspec

from wire.sentences import in_language
from wire.vocabulary import Name

from ..clock import host_clock
from ..sources.logs.authlog import MAX_LINE, Attempt, AuthReader, LineError
from ..sources.logs.bursts import Bursts, BurstSettings
from ..sources.logs.journal import MAX_ENTRY
from ..sources.port import Observation
from .loading import load
from .once import document, spoken, summary
from .recorded import Refusals, Replay, lines, packets, sensor_log

FORMATS = ("pcap", "eve", "zeek", "journal", "auth")
_LOGINS = ("auth", "journal")
_TEXTS = {
    "read": Name("读入 {read} 行，拒绝 {refused} 行", "{read} lines read, {refused} refused"),
    "packets": Name("读入 {read} 个报文，拒绝 {refused} 个", "{read} packets read, {refused} refused"),
    "webmail": Name(
        "公共邮箱 {name}：{client} 通过 {how} 出现 {count} 次，地址 {addresses}",
        "public webmail {name}: {client}, by {how} {count} times, addresses {addresses}",
    ),
    "unread": Name(
        "{unread} 个 TLS 握手的服务器名未能读取",
        "{unread} TLS handshakes with a server name that could not be read",
    ),
    "refused": Name("{file}:{line}: {why}", "{file}:{line}: {why}"),
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("replay", help="read a recorded file as the sources would")
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--as", dest="form", choices=FORMATS, required=True, help="what the file is")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, nothing else")


def run(args: argparse.Namespace) -> int:
    """Run it; 0 when the file was read, 1 when it can't be.

    Raises:
        SettingsError: every mistake of the settings.
        SaidError: their file can't be read.
    """
    settings = load(args)
    sources = settings.sources
    try:
        with args.file.open("rb") as file:
            if args.form in _LOGINS:
                result = replay(file, args.form, sources.logins.bursts, host_clock().now())
            elif args.form == "pcap":
                result = packets(file, sources)
            else:
                result = sensor_log(file, args.file.name, args.form, sources)
    except (OSError, ValueError) as error:
        print(in_language(str(error), settings.language), file=sys.stderr)
        return 1
    if args.json:
        beside: dict[str, object] = {
            "read": result.read,
            "refused": result.refused,
            "refused_total": result.refused_total,
        }
        if args.form == "pcap":
            beside |= {"webmail": result.webmail, "webmail_unread": result.unread}
        sys.stdout.write(document(result.reports, (), **beside) + "\n")
        return 0
    print("\n".join([*summary(result.reports, (), settings.language), *_webmail(result, settings.language)]))
    counts = {"read": result.read, "refused": result.refused_total}
    what = "packets" if args.form == "pcap" else "read"
    print(_TEXTS[what].in_language(settings.language).format_map(counts), file=sys.stderr)
    for one in result.refused:
        told = spoken(one, settings.language)
        print(
            _TEXTS["refused"].in_language(settings.language).format(file=args.file, **told), file=sys.stderr
        )
    return 0


def _webmail(result: Replay, language: str) -> list[str]:
    """Return a line for each name of webmail, and one for what could not be read, if anything."""
    told = _TEXTS["webmail"].in_language(language)
    lines = [
        told.format_map(msgspec.structs.asdict(one) | {"addresses": " ".join(one.addresses) or "-"})
        for one in result.webmail
    ]
    if result.unread:
        lines.append(_TEXTS["unread"].in_language(language).format(unread=result.unread))
    return lines


def replay(file: BinaryIO, form: str, settings: BurstSettings, now: datetime) -> Replay:
    """Read a file of log lines (`auth`) or journald entries (`journal`); `now` dates lines without a year.

    Raises:
        OSError: the file can't be read.
    """
    reader = AuthReader()
    bursts = Bursts(settings)
    reports: list[Observation] = []
    refusals = Refusals()
    read = 0
    latest: datetime | None = None
    for number, data in lines(file, MAX_ENTRY if form == "journal" else MAX_LINE):
        try:
            attempt = _attempt(reader, form, data, now)
        except LineError as error:
            refusals.add(number, str(error))
            continue
        read += 1
        if attempt:
            reports.extend(_count(bursts, attempt, settings, latest))
            latest = attempt.at
    if latest:
        over = latest + timedelta(seconds=settings.window + 1)
        reports.extend(Observation("incident", "logins", over, body) for body in bursts.tick(over))
    return Replay(reports, read, refusals.first, refusals.total)


def _attempt(reader: AuthReader, form: str, data: bytes, now: datetime) -> Attempt | None:
    if form == "auth":
        return reader.line(data.decode("utf-8", "replace"), now)
    if len(data) > MAX_ENTRY:
        raise LineError(f"entry of more than {MAX_ENTRY} bytes")
    return reader.entry(data)[0]


def _count(
    bursts: Bursts, attempt: Attempt, settings: BurstSettings, latest: datetime | None
) -> Iterator[Observation]:
    """Yield what the attempt leads to, after what was due before it."""
    step = timedelta(seconds=min(settings.repeat, settings.window) / 2)
    if latest and attempt.at - latest >= step:
        for body in bursts.tick(attempt.at):
            yield Observation("incident", "logins", attempt.at, body)
    for body in bursts.add(attempt):
        yield Observation("incident", "logins", attempt.at, body)
