"""Whether the other side is in a drill: asked before anything of one goes up, and held when something comes.

    drill that asks for the side above ──> POST /v1/drills ──> waiting ──a person there──> accepted | declined
    filing of a drill ──accepted──> goes up, marked      ──otherwise──> way `drill`: its receipt is simulated
    filing from below, marked ──accepted here, in the drill's time──> stored, marked ──otherwise──> refused

Both sides fail closed: below, nothing is sent without a fresh `accepted`; above, none is taken without one.
A peer of a version without drills does not know the route, so its answer is never `accepted`.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from wire import codec
from wire.messages import VERSION, DrillAnswer, DrillNotice, Filing

from ..errors import PermanentError, RetryableError
from ..registry import Registry
from ..store.drills import (
    Announced,
    Drill,
    all_drills,
    change_drill,
    get_announced,
    get_drill,
    take_announced,
    tell,
)
from ..store.engine import Store
from ..store.nodes import Standing
from ..trust.superior import read_superior, superior_context
from .line import Line

PATH = "/v1/drills"
EVERY = timedelta(seconds=3)
TIMEOUT = timedelta(seconds=10)
EARLY, LATE = timedelta(hours=1), timedelta(days=1)
"""How long before its beginning and after its end reports of an accepted drill are still taken."""
_log = logging.getLogger(__name__)
_answers = codec.Codec(DrillAnswer)


class NotInDrillError(PermanentError):
    """This side is not in the drill that something from below belongs to."""


class Announcer:
    """Asks the collector above whether it is in the drills that want it; `run` for ever, `step` once.

    Args:
        store: The state.
        state: Folder with what `join` left; without it nobody is asked.
        clock: The time.
    """

    def __init__(self, store: Store, *, state: Path, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._state = state
        self._clock = clock
        self._line: Line | None = None

    async def run(self) -> None:
        """Ask every few seconds while a drill wants to know."""
        try:
            while True:
                try:
                    await self.step()
                except (RetryableError, PermanentError) as error:
                    _log.warning("drill not announced above yet: %s", error)
                    await self.close()  # another certificate or address may be there by the next time
                await asyncio.sleep(EVERY.total_seconds())
        finally:
            await self.close()

    async def step(self) -> int:
        """Ask once for every drill that waits or runs; returns how many answers were new.

        Raises:
            RetryableError: The side above is away, or the database is.
            PermanentError: What `join` left cannot be read, or the bytes were refused.
        """
        async with self._store.read() as conn:
            asking = [one for one in await all_drills(conn, states=("planned", "running")) if _asks(one)]
        if not asking:
            return 0
        line = self._line = self._line or self._open()
        if line is None:
            return 0
        return sum([await self._ask(line, drill) for drill in asking])

    async def close(self) -> None:
        """Let go of the connection."""
        if self._line is not None:
            line, self._line = self._line, None
            await line.close()

    def _open(self) -> Line | None:
        superior = read_superior(self._state)
        return Line(superior, superior_context(self._state), TIMEOUT) if superior else None

    async def _ask(self, line: Line, drill: Drill) -> bool:
        try:
            answer = _answers.decode(await line.post(PATH, codec.encode(notice_of(drill))))
        except codec.WireError as error:
            raise RetryableError(f"the answer is none to a drill: {error}") from error
        if answer.id != drill.id or answer.state == drill.superior:
            return False

        async def record(conn: AsyncConnection) -> bool:
            held = await get_drill(conn, drill.id, lock=True)
            if held is None or held.superior == "outside":
                return False
            said = {"state": answer.state, "by": answer.by, "at": answer.at and answer.at.isoformat()}
            await change_drill(conn, drill.id, superior=answer.state, superior_said=said)
            await tell(conn, held, "drill.answered", "system", self._clock(), **said)
            return True

        return await self._store.run(record)


def _asks(drill: Drill) -> bool:
    """A running drill asks on after it was accepted: a word that is taken back counts at once."""
    return drill.superior != "outside" and (drill.state == "running" or drill.superior == "waiting")


def notice_of(drill: Drill) -> DrillNotice:
    """Return what is announced of a drill."""
    script = drill.written
    starts = drill.started_at or drill.planned_at
    return DrillNotice(
        version=VERSION,
        id=drill.id,
        unit=drill.unit,
        name=drill.name,
        name_en=drill.name_en,
        form=drill.form,
        starts_at=starts,
        ends_at=drill.ends_at or starts + (script.lasts if script else timedelta(hours=4)),
    )


async def hear(
    conn: AsyncConnection, peer: Standing, notice: DrillNotice, *, registry: Registry, now: datetime
) -> DrillAnswer:
    """Keep what a collector below announces, and answer what a person here has said to it so far.

    Raises:
        NotInDrillError: The unit stands under another, or another collector announced this id.
    """
    if registry.unit(notice.unit) is not None and notice.unit not in registry.below(peer.unit):
        raise NotInDrillError(f"collector {peer.id} of unit {peer.unit} announces a drill of {notice.unit}")
    held = await take_announced(conn, notice, peer.id, now)
    if held.node != peer.id:
        raise NotInDrillError(f"drill {notice.id!r} was announced by another collector")
    return DrillAnswer(version=VERSION, id=held.id, state=held.state, by=held.decided_by, at=held.decided_at)


async def check_drill(conn: AsyncConnection, peer: Standing, filing: Filing, now: datetime) -> None:
    """Return where a filing is no drill's, or of one that this side has accepted and that is under way.

    Raises:
        NotInDrillError: It belongs to a drill in which this side is not, or not now.
    """
    flagged = filing.incident.get("drill") is True
    if filing.drill is None and not flagged:
        return
    held = await get_announced(conn, filing.drill) if filing.drill else None
    if held is None or held.node != peer.id or not _open_at(held, now):
        found = f"{filing.drill or 'unnamed'}, {held.state if held else 'not announced'}"
        raise NotInDrillError(
            f"filing {filing.key!r}: found one of a drill ({found}), expected one that its sender announced, "
            "a person here accepted, and that is under way; accept it with `drill accept`"
        )


def _open_at(held: Announced, now: datetime) -> bool:
    notice = held.notice
    return held.state == "accepted" and notice.starts_at - EARLY <= now <= notice.ends_at + LATE
