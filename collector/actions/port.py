"""The port of a plan step's effect.

What an implementer owes:

- `begin` writes the effect as rows of the caller's transaction, under `StepContext.key`. Called again with
  the same key it changes nothing and answers the same: a run that was killed anywhere repeats nothing.
- `poll` only looks; it is called at the time that `Waiting` named, or when a row it waits for has changed.
- Neither touches anything but the database: what leaves the house is sent by the flow that owns its rows.
- What went wrong for good is answered as `Failed`; only what may pass later is raised.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Protocol

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from ..escalation.roster import Directory
from ..plans.model import Step
from ..store.incidents import Incident


class Done(Struct, frozen=True):
    """The step is done; `out` is what its out-args may take."""

    out: Mapping[str, Any] = {}


class Failed(Struct, frozen=True):
    """The step has failed for good, and why."""

    why: str


class Skipped(Struct, frozen=True):
    """There was nothing to do, and why; the run goes on as if it had been done."""

    why: str


class Waiting(Struct, frozen=True):
    """Not over. `until`: look again then at the latest; None: something else will wake the step."""

    until: datetime | None = None
    out: Mapping[str, Any] | None = None


Result = Done | Failed | Skipped | Waiting


class FileObligation(Protocol):
    """`authority`'s way to queue a filing; the same clock twice is one filing, whose id is returned."""

    def __call__(
        self,
        conn: AsyncConnection,
        clock_id: str,
        actor: str,
        now: datetime,
        *,
        complete: bool,
        content: Mapping[str, Any],
    ) -> Awaitable[str]:
        """Queue it.

        Raises:
            PermanentError: There is no such clock, or nobody to file to.
        """


class Surroundings(Struct, frozen=True, kw_only=True):
    """What actions are given; every field is looked up anew at each use, so that a reload is seen.

    Fields:
        directory: The register, asked for people.
        file: Queues a filing.
        http_allow: Address prefixes that `http_request` may call.
        http_channel: The webhook channel that carries `http_request`.
        language: `zh` or `en`, of notices.
    """

    directory: Callable[[], Directory]
    file: FileObligation
    http_allow: Callable[[], Sequence[str]] = tuple
    http_channel: str = "webhook"
    language: str = "zh"


class StepContext(Struct, frozen=True, kw_only=True):
    """One visit of a step, as an action sees it.

    Fields:
        name, visit: Which visit of which step.
        unit: The unit whose incident it is; empty where a run has none.
        since: When the step became ready.
        deadline: By when the step has to be over.
        scope: What conditions and texts may name.
    """

    run: str
    name: str
    visit: int
    step: Step
    incident: Incident | None
    unit: str
    since: datetime
    deadline: datetime | None
    scope: Mapping[str, Any]
    drill: bool
    now: datetime

    @property
    def key(self) -> str:
        """What makes the effect one: the same for every attempt at this visit."""
        return f"{self.run}/{self.name}/{self.visit}"


class Action(Protocol):
    """One kind of effect. `kind` is the step kind it carries out."""

    kind: ClassVar[str]

    def __init__(self, surroundings: Surroundings, /) -> None:
        """Keep the surroundings; do nothing else."""

    async def begin(self, conn: AsyncConnection, context: StepContext, /) -> Result:
        """Write the effect."""

    async def poll(self, conn: AsyncConnection, context: StepContext, /) -> Result:
        """Look what became of it."""
