"""Blocks an address for a time, and ends a block before it.

The time runs from when the order was issued, by the collector's clock: an order that comes again after a kill
blocks for what is left and not anew.
"""

from datetime import datetime

from wire.messages import Order
from wire.orders import BlockAddress as BlockParams
from wire.orders import UnblockAddress as UnblockParams
from wire.vocabulary import OrderKind

from ..powers import ForbiddenError, Powers
from .port import Asked, BadParametersError, Finished


class BlockAddress:
    """The action `block_address`."""

    kind: OrderKind = "block_address"

    def __init__(self, powers: Powers) -> None:
        self._powers = powers

    def carry_out(self, asked: Asked) -> Finished:
        """Block it, unless it is what this node never blocks."""
        params = asked.params
        assert isinstance(params, BlockParams)  # noqa: S101 - the kind's own struct
        seconds = seconds_left(asked.order, params.seconds, asked.at)
        try:
            fresh = self._powers.block(params.address, seconds, dry_run=asked.order.dry_run)
        except ForbiddenError as error:
            raise BadParametersError(str(error)) from None
        if asked.order.dry_run:
            return Finished({"would": "block", "address": params.address, "seconds": seconds})
        return Finished({"address": params.address, "seconds": seconds, "changed": fresh})


class UnblockAddress:
    """The action `unblock_address`."""

    kind: OrderKind = "unblock_address"

    def __init__(self, powers: Powers) -> None:
        self._powers = powers

    def carry_out(self, asked: Asked) -> Finished:
        """End the block; where there is none, that is done too."""
        params = asked.params
        assert isinstance(params, UnblockParams)  # noqa: S101 - the kind's own struct
        if asked.order.dry_run:
            return Finished({"would": "unblock", "address": params.address})
        return Finished({"address": params.address, "changed": self._powers.unblock(params.address)})


def seconds_left(order: Order, seconds: int, at: datetime) -> int:
    """Return what is left of a time that began when the order was issued.

    Raises:
        BadParametersError: nothing is.
    """
    left = round(seconds - (at - order.issued_at).total_seconds())
    if left < 1:
        raise BadParametersError(f"params.seconds: the {seconds} s since it was issued are over")
    return min(left, seconds)
