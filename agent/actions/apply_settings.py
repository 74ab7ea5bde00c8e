"""Lays settings of the collector over the node's own, on trial: see `settings/pushed.py`."""

from collections.abc import Callable
from typing import Any

from wire.orders import ApplySettings as ApplyParams
from wire.vocabulary import OrderKind

from ..settings import Pushed, PushedError
from .port import Asked, BadParametersError, Finished


class ApplySettings:
    """The action `apply_settings`."""

    kind: OrderKind = "apply_settings"

    def __init__(
        self, pushed: Pushed, check: Callable[[dict[str, Any]], object], reload: Callable[[], None]
    ) -> None:
        """Take where they are kept, what finds their mistakes, and what reloads, from any thread."""
        self._pushed = pushed
        self._check = check
        self._reload = reload

    def carry_out(self, asked: Asked) -> Finished:
        """Keep them and reload, where they have no mistake and are newer than what was pushed before."""
        params = asked.params
        assert isinstance(params, ApplyParams)  # noqa: S101 - the kind's own struct
        held = self._pushed.read()
        if held.version == params.version and held.settings == params.settings:
            return Finished({"version": params.version, "state": held.state})
        try:
            self._pushed.admit(params.version)
            self._check(params.settings)
        except PushedError as error:
            raise BadParametersError(str(error)) from None
        if asked.order.dry_run:
            return Finished({"would": "apply", "version": params.version, "over": held.version})
        self._pushed.begin_trial(params.version, params.settings)
        self._reload()
        return Finished({"version": params.version, "state": "trial"})
