"""Ends a process; one that is gone already is done, so that the same order may come twice."""

from wire.orders import StopProcess as StopParams
from wire.vocabulary import OrderKind

from ..powers import ForbiddenError, Powers
from .port import Asked, BadParametersError, Finished


class StopProcess:
    """The action `stop_process`."""

    kind: OrderKind = "stop_process"

    def __init__(self, powers: Powers) -> None:
        self._powers = powers

    def carry_out(self, asked: Asked) -> Finished:
        """Ask it to end, then make it end."""
        params = asked.params
        assert isinstance(params, StopParams)  # noqa: S101 - the kind's own struct
        told = {"pid": params.pid, "program": params.program}
        ago = (asked.at - asked.order.issued_at).total_seconds()
        try:
            became = self._powers.stop(params.pid, params.program, asked_ago=ago, dry_run=asked.order.dry_run)
        except ForbiddenError as error:
            raise BadParametersError(str(error)) from None
        if asked.order.dry_run:
            return Finished({"would": "stop", "process": became} | told)
        return Finished({"process": became} | told)
