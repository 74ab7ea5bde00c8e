"""`fengsui-agent once`: every source looks a single time, and what it would report is printed."""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from wire.sentences import FIELDS, in_language
from wire.vocabulary import LINK_KINDS, Name

from ..clock import host_clock
from ..sources import build
from ..sources.port import Clock, Observation, Source, Unreadable
from .loading import load

_TEXTS = {
    "host": Name("主机 {host_name}：{os}，内核 {kernel}", "host {host_name}: {os}, kernel {kernel}"),
    "services": Name("监听服务 {count} 个", "{count} listening services"),
    "link": Name("网卡 {name}：{kind}，{state}，{addresses}", "link {name}: {kind}, {state}, {addresses}"),
    "default": Name(
        "默认路由（表 {table}）：经 {gateway}，网卡 {interface}",
        "default route (table {table}): via {gateway}, link {interface}",
    ),
    "half": Name(
        "半默认路由 {destination}（表 {table}）：经 {gateway}，网卡 {interface}",
        "half of a default route {destination} (table {table}): via {gateway}, link {interface}",
    ),
    "resolver": Name("域名服务器 {address}（{source}）", "resolver {address} ({source})"),
    "proxy": Name("代理 {name} = {value}（{source}）", "proxy {name} = {value} ({source})"),
    "forwards": Name("本机转发 IPv4 {ipv4}，IPv6 {ipv6}", "forwards IPv4 {ipv4}, IPv6 {ipv6}"),
    "outside": Name(
        "对外连接：{process} → {remote_address}：{remote_port}",
        "outside: {process} → {remote_address}:{remote_port}",
    ),
    "incident": Name(
        "事件 {class} {key}：{count} 次，{first_seen} 起，最近 {last_seen}",
        "incident {class} {key}: {count}, from {first_seen}, last {last_seen}",
    ),
    "gap": Name("缺口 {why}（{from} 至 {to}）", "gap: {why} ({from} to {to})"),
    "unreadable": Name("未能读取 [{source}] {what}：{why}", "not readable [{source}] {what}: {why}"),
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("once", help="look once and print what would be reported")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, nothing else")


def run(args: argparse.Namespace) -> int:
    """Run it; 0 whatever was found.

    Raises:
        SettingsError: every mistake of the settings.
        SaidError: their file can't be read.
    """
    settings = load(args)
    sources = build(settings.sources, Path(settings.state_dir))
    reports, unreadable = asyncio.run(look(sources, host_clock().now))
    if args.json:
        sys.stdout.write(document(reports, unreadable) + "\n")
    else:
        print("\n".join(summary(reports, unreadable, settings.language)))
    return 0


async def look(sources: Sequence[Source], clock: Clock) -> tuple[list[Observation], list[Unreadable]]:
    """Let every source look once; one that fails is named and stops no other."""
    reports: list[Observation] = []
    unreadable: list[Unreadable] = []
    for source in sources:
        try:
            reading = await source.once(clock())
        except Exception as error:  # noqa: BLE001 - the edge: a broken source is told, the others are heard
            unreadable.append(Unreadable(source.name, "source", f"{type(error).__name__}: {error}"))
        else:
            reports += reading.observations
            unreadable += reading.unreadable
    return reports, unreadable


def document(reports: Iterable[Observation], unreadable: Iterable[Unreadable], **beside: object) -> str:
    """Return the JSON document of `once`; `beside` are the fields that `replay` adds."""
    whole = {"reports": list(reports), "unreadable": list(unreadable), **beside}
    return msgspec.json.format(msgspec.json.encode(whole), indent=1).decode()


def summary(reports: Iterable[Observation], unreadable: Iterable[Unreadable], language: str) -> list[str]:
    """Return what was found, a line each."""
    tellers = {"asset": _asset, "exits": _exits, "sockets": _sockets, "incident": _incident, "gap": _gap}
    lines = [
        _TEXTS[code].in_language(language).format_map(spoken(values, language))
        for report in reports
        for code, values in tellers[report.kind](report.body, language)
    ]
    told = _TEXTS["unreadable"].in_language(language)
    return lines + [told.format_map(spoken(msgspec.structs.asdict(one), language)) for one in unreadable]


_STATES = {
    "up": Name("已启用", "up"),
    "down": Name("未启用", "down"),
    "unknown": Name("状态未知", "unknown"),
    "dormant": Name("等待中", "dormant"),
    "lowerlayerdown": Name("下层未启用", "lowerlayerdown"),
    "notpresent": Name("不存在", "notpresent"),
    "testing": Name("测试中", "testing"),
}
_ANSWERS = {True: Name("是", "yes"), False: Name("否", "no"), None: Name("未知", "not known")}


def spoken(values: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return values with the sentences among them in a language; what was seen stays as it is."""
    return {
        name: in_language(value, language) if name in FIELDS and isinstance(value, str) else value
        for name, value in values.items()
    }


Lines = list[tuple[str, dict[str, Any]]]


def _asset(body: dict[str, Any], _: str) -> Lines:
    release = body["os_release"] or {}
    values = {**body, "os": release.get("pretty_name") or "?", "kernel": body["kernel"]["release"]}
    return [("host", values), ("services", {"count": len(body["listening_services"])})]


def _exits(body: dict[str, Any], language: str) -> Lines:
    lines: Lines = [
        (
            "link",
            {
                **link,
                "kind": LINK_KINDS[link["kind"]].in_language(language),
                "state": _STATES[link["state"]].in_language(language)
                if link["state"] in _STATES
                else link["state"],
                "addresses": " ".join(f"{one['address']}/{one['prefix']}" for one in link["addresses"])
                or "-",
            },
        )
        for link in body["links"]
    ]
    words = {"full": "default", "half": "half"}
    lines += [(words[route["default"]], route) for route in body["routes"] if route["default"]]
    lines += [("resolver", one) for one in body["resolvers"]]
    lines += [("proxy", one) for one in body["proxies"]]
    forwards = {kind: _ANSWERS[body["forwarding"][kind]].in_language(language) for kind in ("ipv4", "ipv6")}
    return [*lines, ("forwards", forwards)]


def _sockets(body: dict[str, Any], _: str) -> Lines:
    return [("outside", {**one, "process": one["process"] or "?"}) for one in body["connections"]]


def _incident(body: dict[str, Any], _: str) -> Lines:
    return [("incident", body)]


def _gap(body: dict[str, Any], _: str) -> Lines:
    return [("gap", body)]
