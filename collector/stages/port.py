"""The port every stage stands behind, and what goes through it."""

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Raw, Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from wire.messages import ReportKind

from ..incident import Finding
from ..registry import Asset
from ..store.exits import Change
from ..store.facts import NodeRow
from .bodies import Body


class Item(Struct, frozen=True, kw_only=True):
    """One report on its way from the event log to what follows from it.

    Fields:
        id: The report's id.
        place: Where it stands in the log: `position/epoch/number`.
        node: Who sent it.
        source: The agent's source.
        observed_at: The host's clock.
        ahead: By how much the host's clock was ahead of ours then (`hosttime`).
        received_at: Ours, when its batch was read whole: `aware` for what it opens.
        raw, body: The body as it came, and as its kind reads it.
        now: Time of the slice.
        asset: The node's asset by the register; filled by `enrich`.
        changes: What judging did to the node's ways out; filled by `verdict`.
    """

    id: str
    place: str
    kind: ReportKind
    node: NodeRow
    source: str
    observed_at: datetime
    received_at: datetime
    raw: Raw
    body: Body
    now: datetime
    ahead: timedelta = timedelta()
    asset: Asset | None = None
    changes: tuple[Change, ...] = ()


class Stage(Protocol):
    """One step of the pipeline.

    What an implementation owes:

    - It writes by `conn` alone, which commits with the cursor: a report that is read again after a crash
      finds nothing of the first time.
    - It answers with what the next stage gets, or None where the report has come to its end.
    - A report that it cannot bear raises; it is tried again and then set aside by the pipeline.
    """

    name: str

    async def apply(self, conn: AsyncConnection, item: Item) -> Item | None:
        """Do this stage's part for one report."""
        ...


class Open(Protocol):
    """Opens an incident or attaches to the one that stands for the fingerprint (`Casework.open`)."""

    def __call__(
        self, conn: AsyncConnection, finding: Finding, received_at: datetime, now: datetime, /
    ) -> Awaitable[str]:
        """Return the incident's id."""
        ...
