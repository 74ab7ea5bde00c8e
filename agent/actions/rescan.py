"""Has sources look anew and tell the full picture, as they do at the agent's start."""

from collections.abc import Callable, Collection

from wire.orders import Rescan as RescanParams
from wire.vocabulary import OrderKind

from .port import Asked, BadParametersError, Finished


class Rescan:
    """The action `rescan`."""

    kind: OrderKind = "rescan"

    def __init__(self, running: Collection[str], restart: Callable[[Collection[str]], None]) -> None:
        """Take the sources that run, and what starts some of them anew, from any thread."""
        self._running = running
        self._restart = restart

    def carry_out(self, asked: Asked) -> Finished:
        """Start them anew; what they see comes as their reports do."""
        params = asked.params
        assert isinstance(params, RescanParams)  # noqa: S101 - the kind's own struct
        names = list(self._running) if params.sources is None else list(dict.fromkeys(params.sources))
        strange = [name for name in names if name not in self._running]
        if strange:
            running = ", ".join(self._running)
            raise BadParametersError(f"params.sources: found {strange[0]!r}, expected names of {running}")
        if asked.order.dry_run:
            return Finished({"would": "rescan", "sources": names})
        self._restart(names)
        return Finished({"sources": names})
