"""Cuts the node off from all but its collectors for a time, and ends that before it.

As with blocks the time runs from when the order was issued, and the kernel lifts it: nobody has to come back.
"""

from wire.orders import IsolateNode as IsolateParams
from wire.vocabulary import OrderKind

from ..powers import ForbiddenError, Powers
from .blocking import seconds_left
from .port import Asked, BadParametersError, Finished


class IsolateNode:
    """The action `isolate_node`."""

    kind: OrderKind = "isolate_node"

    def __init__(self, powers: Powers) -> None:
        self._powers = powers

    def carry_out(self, asked: Asked) -> Finished:
        """Isolate the node, unless it could not tell what has to stay reachable."""
        params = asked.params
        assert isinstance(params, IsolateParams)  # noqa: S101 - the kind's own struct
        seconds = seconds_left(asked.order, params.seconds, asked.at)
        try:
            fresh = self._powers.isolate(seconds, dry_run=asked.order.dry_run)
        except ForbiddenError as error:
            raise BadParametersError(str(error)) from None
        if asked.order.dry_run:
            return Finished({"would": "isolate", "seconds": seconds})
        return Finished({"seconds": seconds, "changed": fresh})


class ReleaseNode:
    """The action `release_node`."""

    kind: OrderKind = "release_node"

    def __init__(self, powers: Powers) -> None:
        self._powers = powers

    def carry_out(self, asked: Asked) -> Finished:
        """Release it; where it is not isolated, that is done too."""
        if asked.order.dry_run:
            return Finished({"would": "release"})
        return Finished({"changed": self._powers.release()})
