"""The port every action stands behind."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from wire.messages import Order
from wire.orders import Params
from wire.vocabulary import OrderKind

from ..powers import Powers
from ..settings import Pushed


class BadParametersError(ValueError):
    """Parameters that this action can't take, or won't on this node; the order is refused."""


class Asked(Struct, frozen=True):
    """An order that proved itself.

    Fields:
        params: Its parameters, as its kind's struct.
        at: The collector's time as the action begins.
    """

    order: Order
    params: Params
    at: datetime


class Finished(Struct, frozen=True):
    """What an action brought.

    Fields:
        detail: For the outcome; small.
        evidence: Bodies of reports of kind `evidence`, in their order.
    """

    detail: dict[str, Any]
    evidence: tuple[dict[str, Any], ...] = ()


class Node(Struct, frozen=True):
    """What actions work with; every callable may be called from any thread.

    Fields:
        powers: What changes the host.
        sources: Names of those that run; `restart` starts some of them anew.
        renew: Asks for a fresh certificate.
        pushed: Where settings of a collector are kept; `check` finds their mistakes, `reload` applies them.
    """

    powers: Powers
    sources: tuple[str, ...]
    restart: Callable[[Collection[str]], None]
    renew: Callable[[], None]
    pushed: Pushed
    check: Callable[[dict[str, Any]], object]
    reload: Callable[[], None]


class Action(Protocol):
    """Something a collector may order.

    What an implementation owes:

    - `carry_out` runs in a thread of its own and may be abandoned at the order's deadline: it changes nothing
      that a half-done run would leave wrong.
    - After a kill the same order comes again: done twice it leaves what doing it once leaves. What lasts for
      a time lasts from the order's `issued_at`, not from each try.
    - With `dry_run` it finds out whether it would do it, and does nothing.
    - Parameters are values of a closed list, never code and never a path.
    - What it may not read is named in what it brings, not hidden.
    """

    @property
    def kind(self) -> OrderKind:
        """The order it carries out."""
        ...

    def carry_out(self, asked: Asked) -> Finished:
        """Do it; raise `BadParametersError` before anything is done where it may not be done."""
        ...
