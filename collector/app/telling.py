"""What a collector tells of itself: in its journal, and to whoever started it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from ..store import journal
from ..store.engine import Store
from .ending import Notes
from .live import Live

_TOLD = 20


class Teller:
    """Writes into the journal in the collector's own name."""

    def __init__(self, store: Store, live: Live, clock: Callable[[], datetime], notes: Notes) -> None:
        self._store = store
        self._live = live
        self._clock = clock
        self._notes = notes

    async def tell(self, action: str, detail: Mapping[str, object]) -> None:
        """Enter something that befell the collector itself."""
        unit = self._live.settings().unit
        entry = journal.Entry(actor="system", action=action, subject=f"unit:{unit}", detail=dict(detail))
        await self._store.run(lambda conn: journal.write(conn, entry, self._clock()))

    async def loaded(self) -> None:
        """Tell what the files say, and what of them is not in use."""
        await self.tell("registry.loaded", self._live.counts())
        left_out = self._live.left_out()
        for mistake in left_out:
            self._notes(f"预案未启用,其余照常 plan left out, all else runs: {mistake}")
        if left_out:
            told = [str(mistake) for mistake in left_out][:_TOLD]
            await self.tell("audit.finding", {"finding": "plans_left_out", "what": told})
        refused = [str(mistake) for mistake in self._live.refused()]
        for line in refused:
            self._notes(f"检测规则不能用,其余照常 rule refused, all else runs: {line}")
        if refused:
            await self.tell("audit.finding", {"finding": "rules_refused", "what": refused[:_TOLD]})
