"""The port every action stands behind."""

from typing import Any, Protocol

from msgspec import Struct

from wire.messages import Order
from wire.vocabulary import OrderKind


class BadParametersError(ValueError):
    """Parameters that this action can't take; the order is refused."""


class Finished(Struct, frozen=True):
    """What an action brought.

    Fields:
        detail: For the outcome; small.
        evidence: Bodies of reports of kind `evidence`, in their order.
    """

    detail: dict[str, Any]
    evidence: tuple[dict[str, Any], ...] = ()


class Action(Protocol):
    """Something a collector may order.

    What an implementation owes:

    - `carry_out` runs in a thread of its own and may be abandoned at the order's deadline: it changes nothing
      that a half-done run would leave wrong.
    - Parameters are values of a closed list, never code and never a path.
    - What it may not read is named in what it brings, not hidden.
    """

    @property
    def kind(self) -> OrderKind:
        """The order it carries out."""
        ...

    def carry_out(self, order: Order) -> Finished:
        """Do it; raise `BadParametersError` before anything is done where the parameters are wrong."""
        ...
