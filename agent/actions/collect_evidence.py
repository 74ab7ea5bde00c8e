"""Writes down what runs and who it talks to, while it still does: sockets, processes, routes, ends of logs.

    parameters  `wire.orders.CollectEvidence`; all items and all logs by default
    document    {"taken": {...rows}, "cut": {item: rows left out}, "unreadable": [{"what", "why"}]}, JSON
    reports     the manifest {order, name, size, sha256, sm3, chunks, items}, then a report a chunk

The document is bounded: every item gets an equal part of what is left, and what did not fit is counted.
"""

import os
import stat
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from wire.codec import encode
from wire.orders import CollectEvidence as CollectEvidenceParams
from wire.vocabulary import OrderKind

from ..netlink import inet_diag, rtnetlink
from ..netlink.message import NetlinkError
from ..settings import LogFile
from .packing import packed
from .port import Asked, Finished
from .running import processes

NAME = "evidence.json"
_ALL_STATES = 0xFFF
_COMMAND_CHARACTERS = 1024
Rows = Iterator[dict[str, Any]]


def _sockets() -> Rows:
    return (msgspec.to_builtins(row) for row in inet_diag.sockets(_ALL_STATES))


def _processes() -> Rows:
    return processes(characters=_COMMAND_CHARACTERS)


def _routes() -> Rows:
    """Yield the routes last and the widest of them first: a whole internet table is what is cut."""
    tables = rtnetlink.look()
    routes = sorted(tables.routes, key=lambda one: int(one.destination.rpartition("/")[2]))
    parts = {"links": tables.links, "addresses": tables.addresses, "rules": tables.rules, "routes": routes}
    for part, rows in parts.items():
        for row in rows:
            yield {"table_of": part, **msgspec.to_builtins(row)}


_ITEMS: dict[str, Callable[[], Rows]] = {"sockets": _sockets, "processes": _processes, "routes": _routes}


class CollectEvidence:
    """The action `collect_evidence`, within what the node's own settings allow."""

    kind: OrderKind = "collect_evidence"

    def __init__(self, logs: tuple[LogFile, ...], most_bytes: int) -> None:
        """Take the logs that may be quoted and the bytes a document may have."""
        self._logs = {log.name: log.path for log in logs}
        self._most = most_bytes

    def carry_out(self, asked: Asked) -> Finished:
        """Return the evidence as a manifest and its chunks."""
        params = asked.params
        assert isinstance(params, CollectEvidenceParams)  # noqa: S101 - the kind's own struct
        items = tuple(_ITEMS) if params.items is None else tuple(dict.fromkeys(params.items))
        logs = tuple(self._logs) if params.logs is None else tuple(dict.fromkeys(params.logs))
        if asked.order.dry_run:
            return Finished({"would": "collect", "items": [*items, *(f"log:{name}" for name in logs)]})
        document = self._document(items, logs)
        return packed(asked.order.id, NAME, document, [*items, *(f"log:{name}" for name in logs)])

    def _document(self, items: tuple[str, ...], logs: tuple[str, ...]) -> bytes:
        taken: dict[str, Any] = {}
        cut: dict[str, int] = {}
        unreadable: list[dict[str, str]] = []
        left = self._most - 2048
        waiting = len(items) + len(logs)
        for name in (*items, *(f"log:{log}" for log in logs)):
            share = left // waiting
            waiting -= 1
            try:
                taken[name], cut[name] = self._take(name, share)
                left -= len(encode(taken[name]))
            except (OSError, NetlinkError) as error:
                unreadable.append({"what": name, "why": str(error)[:300]})
        cut = {name: count for name, count in cut.items() if count}
        return encode({"taken": taken, "cut": cut, "unreadable": unreadable})

    def _take(self, name: str, share: int) -> tuple[object, int]:
        kind, _, log = name.partition(":")
        if kind == "log":
            return self._end_of(log, share)
        return _fitting(_ITEMS[name](), share)

    def _end_of(self, log: str, share: int) -> tuple[str, int]:
        """Return the end of a log and how many of its bytes were left out."""
        path = self._logs.get(log)
        if path is None:
            raise PermissionError(f"this node's settings name no log {log!r}")
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode):
                raise PermissionError(f"{path} is no regular file")
            # In JSON a byte of a log may take six.
            skipped = max(0, about.st_size - share // 6)
            file.seek(skipped)
            return file.read(share // 6).decode("utf-8", "replace"), skipped


def _fitting(rows: Rows, share: int) -> tuple[list[dict[str, Any]], int]:
    """Return the rows that fit and how many did not."""
    taken: list[dict[str, Any]] = []
    used = cut = 0
    for row in rows:
        used += len(encode(row)) + 1
        if used > share:
            cut += 1
        else:
            taken.append(row)
    return taken, cut
