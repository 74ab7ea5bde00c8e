"""The watch: the flows that go by the clock and see what nobody reports, a time that is due or a silence."""

import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from ..casework import Casework
from ..duty.auditor import Auditor
from ..duty.checkpointing import Checkpointing
from ..duty.clock import DutyClock
from ..duty.presence import Presence
from ..duty.silence import Silence
from ..ingest.links import Link
from ..store.engine import Store
from ..trust.checkpoints import journal_key, keep_newest
from .live import Live


class Watch:
    """Clock, auditor, silence of collectors, presence of nodes, seals of the journal.

    Args:
        store: The state.
        live: The files in use.
        casework: Opens and ends incidents.
        links: How a node's connections stand.
        now: The host's clock.

    Attributes:
        flows: What runs until cancelled, by name.
    """

    def __init__(
        self,
        store: Store,
        live: Live,
        casework: Casework,
        *,
        links: Callable[[str], Link],
        now: Callable[[], datetime],
    ) -> None:
        settings = live.settings()
        self._clock = DutyClock(store, casework, wall=now, steady=time.monotonic)
        self._auditor = Auditor(store, lambda: live.directory(now()), settings.unit, now=now)
        self._silence = Silence(
            store,
            open_incident=casework.open,
            note_end=casework.note,
            end=casework.move,
            registry=live.registry,
            directory=lambda: live.directory(now()),
            unit=settings.unit,
            now=now,
        )
        presence = Presence(store, links=links, open_incident=casework.open, now=now)
        self._checkpoints = Checkpointing(
            store, journal_key(settings.state), now=now, keep=partial(keep_newest, settings.state)
        )
        self.flows: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "clock": self._clock.run,
            "auditor": self._auditor.run,
            "silence": self._silence.run,
            "presence": presence.run,
            "checkpoints": self._checkpoints.run,
        }

    def pulses(self) -> dict[str, datetime | None]:
        """Return when each flow that must not stand still went through last; None: not yet."""
        return {
            "clock": self._clock.last_tick,
            "auditor": self._auditor.last_pass,
            "silence": self._silence.last_pass,
        }

    async def seal(self) -> None:
        """Sign the journal's end.

        Raises:
            FengsuiError: It cannot be signed, or not be kept.
        """
        await self._checkpoints.seal()
