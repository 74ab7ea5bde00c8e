"""What may become a report."""

from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from wire.messages import ReportKind

from ..budget import Rest


class Observed(Protocol):
    """Anything with the things a report is made from; a source's observation is one."""

    @property
    def kind(self) -> ReportKind:
        """What it is."""
        ...

    @property
    def source(self) -> str:
        """Who saw it."""
        ...

    @property
    def observed_at(self) -> datetime:
        """When, by the host's clock; aware."""
        ...

    @property
    def body(self) -> dict[str, Any]:
        """JSON values only."""
        ...

    @property
    def rest(self) -> Rest | None:
        """The cool-down it tells of, which must be as durable as the report."""
        ...


class Entry(Struct, frozen=True):
    """An observation made by the agent's own core: a heartbeat, a gap, evidence."""

    kind: ReportKind
    source: str
    observed_at: datetime
    body: dict[str, Any]
    rest: Rest | None = None
