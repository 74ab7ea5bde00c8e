"""Orders as they reach an action, and powers that only write down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from agent.actions import Asked
from agent.powers import ForbiddenError, Wanted
from agent.powers.capture import Captured
from wire.messages import Order
from wire.orders import read_params

if TYPE_CHECKING:
    from wire.vocabulary import OrderKind

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


def asked(kind: OrderKind, *, dry_run: bool = False, late: float = 0.0, **params: Any) -> Asked:  # noqa: ANN401 - JSON
    """An order issued `late` seconds ago, due in a minute."""
    order = Order(
        id="o1",
        node="node-1",
        kind=kind,
        params=params,
        issued_at=NOW - timedelta(seconds=late),
        deadline=NOW + timedelta(minutes=1),
        dry_run=dry_run,
    )
    return Asked(order, read_params(kind, params), NOW)


class Noted:
    """Powers that write down what they are asked for."""

    def __init__(self, *, forbids: str = "", changes: bool = True) -> None:
        self.did: list[tuple[Any, ...]] = []
        self._forbids = forbids
        self._changes = changes

    def _note(self, *what: Any) -> bool:  # noqa: ANN401 - whatever was asked
        if self._forbids:
            raise ForbiddenError(self._forbids)
        self.did.append(what)
        return self._changes

    def block(self, address: str, seconds: int, *, dry_run: bool = False) -> bool:
        return self._note("look" if dry_run else "block", address, seconds)

    def unblock(self, address: str) -> bool:
        return self._note("unblock", address)

    def isolate(self, seconds: int, *, dry_run: bool = False) -> bool:
        return self._note("look" if dry_run else "isolate", seconds)

    def refresh(self) -> bool:
        return self._note("refresh")

    def holds(self) -> bool:
        return self._note("holds")

    def release(self) -> bool:
        return self._note("release")

    def stop(self, pid: int, program: str, *, asked_ago: float = 0.0, dry_run: bool = False) -> str:
        self._note("look" if dry_run else "stop", pid, program, asked_ago)
        return "running" if dry_run else "ended"

    def capture(self, wanted: Wanted) -> Captured:
        self._note("capture", wanted)
        return Captured(b"pcap", 3, 1, "time")
