"""What `app` hands to the console and the API. Everything that may be swapped at reload is a callable."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from ..drills import Event
from ..metrics import Figure
from ..plans.warned import Warned
from ..registry import Registry
from ..store.drills import Drill
from ..store.engine import Store
from ..trust.links import Links
from .papers import Filings, Make


class Move(Protocol):
    """`Casework.move`: bring an incident into another state."""

    def __call__(  # noqa: PLR0917 - as casework and runs take them
        self,
        conn: AsyncConnection,
        incident: str,
        to_state: str,
        actor: str,
        now: datetime,
        reason: str = "",
        /,
    ) -> Awaitable[None]:
        """Raise PermanentError for a move that is not legal."""


class Confirm(Protocol):
    """`Casework.confirm`: a person's word on a proposed level, or on a clock in doubt."""

    def __call__(
        self,
        conn: AsyncConnection,
        incident: str,
        actor: str,
        now: datetime,
        /,
        *,
        level: str | None = None,
        clock: str | None = None,
        reason: str = "",
    ) -> Awaitable[None]:
        """Raise PermanentError where there is nothing to confirm."""


class Correct(Protocol):
    """`Casework.correct`: a person's word on facts and times."""

    def __call__(
        self,
        conn: AsyncConnection,
        incident: str,
        now: datetime,
        /,
        *,
        actor: str,
        reason: str,
        facts: Mapping[str, Any],
        times: Mapping[str, datetime | None],
    ) -> Awaitable[None]:
        """Raise PermanentError where it is no person's word."""


class CompleteStep(Protocol):
    """`runs.complete_step`: a person has done, approved or refused a step of a plan."""

    def __call__(  # noqa: PLR0917 - as casework and runs take them
        self,
        conn: AsyncConnection,
        run: str,
        step: str,
        actor: str,
        out: dict[str, Any],
        now: datetime,
        roles: frozenset[str],
        /,
    ) -> Awaitable[None]:
        """Raise PermanentError for a step that does not wait for a person."""


class ActOnRun(Protocol):
    """`runs.act_on_run`: pause, resume, cancel, skip, retry, another response level."""

    def __call__(
        self,
        conn: AsyncConnection,
        run: str,
        deed: str,
        /,
        *,
        step: str,
        level: str | None,
        until: datetime | None,
        reason: str,
        actor: str,
        roles: frozenset[str],
        now: datetime,
    ) -> Awaitable[None]:
        """Raise PermanentError for what cannot be done as the run stands."""


class StartRun(Protocol):
    """`runs.Starter.by_hand`: begin a plan on a person's word."""

    def __call__(
        self,
        conn: AsyncConnection,
        plan: str,
        /,
        *,
        incident: str | None,
        unit: str,
        roles: frozenset[str],
        actor: str,
        reason: str,
        now: datetime,
    ) -> Awaitable[str]:
        """Return the run; raise PermanentError for what may not be started."""


class StartByWarning(Protocol):
    """`runs.Starter.by_warning`: begin what a warning from above asks of a unit."""

    def __call__(
        self, conn: AsyncConnection, warned: Warned, unit: str, now: datetime, /
    ) -> Awaitable[str | None]:
        """Return the run, the same for the same warning; None where no plan is for it."""


class Startable(Struct, frozen=True):
    """A plan in force as the console offers it."""

    id: str
    name: str
    name_en: str


class Acknowledge(Protocol):
    """`Casework.acknowledge`: a person takes an incident on."""

    def __call__(
        self,
        conn: AsyncConnection,
        incident: str,
        actor: str,
        now: datetime,
        /,
        *,
        reason: str = "",
        way: str = "desk",
        link: str | None = None,
    ) -> Awaitable[int]:
        """Return how many more people it needs; raise PermanentError where it is taken on already."""


class Directs(Protocol):
    """`duty.director.Director`, as far as persons ask it; PermanentError: it cannot be done."""

    async def start(self, conn: AsyncConnection, key: str, actor: str, now: datetime, /) -> Drill:
        """Begin a planned drill."""

    async def inject(
        self, conn: AsyncConnection, key: str, event: Event, actor: str, now: datetime, /
    ) -> int:
        """Add an event to a running one."""

    async def end(self, conn: AsyncConnection, key: str, actor: str, now: datetime, /) -> Drill:
        """End a running one."""

    async def cancel(
        self, conn: AsyncConnection, key: str, actor: str, now: datetime, reason: str, /
    ) -> None:
        """Take a planned one out of the plan."""


DrillReport = Callable[[str, str, str, datetime], Awaitable[tuple[str, str, bytes]]]
"""Makes the after-action report of a drill: its id, the kind, the language, the time."""


class Taken(Struct, frozen=True, kw_only=True):
    """What came of a foreign tool's alerts: kept, known already, and set aside where people see them."""

    accepted: int
    repeated: int
    quarantined: int


TakeAlerts = Callable[[str, bytes, datetime], Awaitable[Taken]]
"""`intake.Intake.take`: the tool's name, its message, the time."""


class Desk(Struct, frozen=True, kw_only=True):
    """The world as console and API see it.

    Fields:
        store: The state database.
        clock: Now, aware, UTC.
        registry: The register as loaded last.
        move, confirm, correct, complete_step, act_on_run, start_run, start_by_warning: The writers; they
            journal and raise as their protocols say.
        filings: Composes, keeps and files reports for persons.
        make_document: Renders a report.
        pulses: Last pass of every flow by name; `clock` and `auditor` are among them in a running collector.
        counters: Figures of this process by metric name (`collector.metrics` lists them).
        unit: Registry key of the unit this collector belongs to.
        language: Of who has not chosen one, zh or en.
        version: Of the product, for the foot of the page and `fengsui_build_info`.
        startable: The plans in force, for who starts one by hand.
        director, drill_report: Hold drills and report of them; without them there are none.
        take_alerts: Takes what other tools' webhooks send; without it nothing is taken.
        acknowledge, links: For one-time links of notices; without them there are none.
    """

    store: Store
    clock: Callable[[], datetime]
    registry: Callable[[], Registry]
    move: Move
    confirm: Confirm
    correct: Correct
    complete_step: CompleteStep
    act_on_run: ActOnRun
    start_run: StartRun
    start_by_warning: StartByWarning
    filings: Filings
    make_document: Make
    pulses: Callable[[], Mapping[str, datetime]]
    counters: Callable[[], Mapping[str, Figure]]
    unit: str
    language: str = "zh"
    version: str = "0"
    acknowledge: Acknowledge | None = None
    director: Directs | None = None
    drill_report: DrillReport | None = None
    take_alerts: TakeAlerts | None = None
    links: Links | None = None
    startable: Callable[[], Sequence[Startable]] = tuple
