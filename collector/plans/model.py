"""What a plan may say: all eight step types of CACAO 2.0, and what a duty room needs beyond them.

A plan is a graph of steps by id. A step names what follows it (`next`, `on_failure`); a branching step
(`parallel`, `if-condition`, `while-condition`, `switch-condition`, `playbook-action`) names the first step of
each branch, and a branch that ends returns to it::

    start -> tell -> first-hour (parallel) ------------------> restore -> end
                       |-> evidence .            .
                       |-> report -> receipt .   . all branches ended
                       '-> switch-page .         .

`action` of CACAO stands as the kinds of what is done: notify, manual, approve, http_request, order_agent,
file_report, wait. What each field means to a run is written in `docs/plans.md`.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from wire.vocabulary import Level, OrderKind

CONTINUE = "continue"
REGRADE = "response-level"
"""The step aside that every pinned plan has: it follows the incident's level while the run is under way."""
BUILT_IN_ROLES = ("duty", "leader", "superior")
LEVELS: tuple[Level, ...] = ("I", "II", "III", "IV")

PlanId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
StepId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_/-]{0,199}$")]
Role = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
VariableName = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
ClassCode = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9]{1,15}$")]
Words = Annotated[str, Meta(min_length=1, max_length=4000)]
Expression = Annotated[str, Meta(min_length=1, max_length=2000)]
FieldType = Literal["text", "number", "bool", "time", "choice"]
WarningColour = Literal["blue", "yellow", "orange", "red"]
IncidentState = Literal["acknowledged", "contained", "handled", "closed"]


class Text(Struct, frozen=True, kw_only=True):
    """What people read, in both languages."""

    zh: Words
    en: Words

    def in_language(self, language: str) -> str:
        """Return the text in `language`; anything but zh reads English."""
        return self.zh if language == "zh" else self.en


class Variable(Struct, frozen=True, kw_only=True):
    """A value the run carries. Steps write it through `out` alone; a constant is never written."""

    type: FieldType = "text"
    value: Any = None
    constant: bool = False


class Field(Struct, frozen=True, kw_only=True):
    """A field of the form that a person fills; of a choice each value by what people read for it."""

    title: Text
    type: FieldType = "text"
    required: bool = True
    choices: dict[Words, Text] = {}

    def __post_init__(self) -> None:
        """Refuse a choice without choices, and choices of what is none."""
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("choices exactly where type is choice")


class Due(Struct, frozen=True, kw_only=True):
    """A step's deadline from outside the plan: `ahead` of the due time of an obligation, or of a time."""

    obligation: Words | None = None
    at: datetime | None = None
    ahead: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        """Refuse a deadline of nothing, or of two things."""
        if (self.obligation is None) == (self.at is None):
            raise ValueError("exactly one of obligation, at")


class _Step(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every step may say.

    Fields:
        owner: The role that answers for it.
        timeout: The step's deadline, from the moment it is ready; `due` may make it earlier.
        on_timeout: `fail` as in CACAO; `stay` keeps it open and tells its owner's leader once; `continue`
            counts it as done (an approval then fails forward).
        next, on_failure: The step that follows; `on_failure: continue` goes on as if it had been done.
        undo: The step that takes it back; proposed to a person when a run is cancelled.
        out: Variable to the field of the step's result that it takes.
        unknown: Fields of a foreign format that mean nothing here; kept for its export.
    """

    title: Text
    text: Text | None = None
    owner: Role | None = None
    timeout: timedelta | None = None
    on_timeout: Literal["fail", "stay", "continue"] = "fail"
    due: Due | None = None
    next: StepId | None = None
    on_failure: StepId | None = None
    undo: StepId | None = None
    out: dict[VariableName, Words] = {}
    unknown: dict[str, Any] = {}

    @property
    def kind(self) -> str:
        """The step's kind as files write it."""
        return str(self.__struct_config__.tag)


class Start(_Step, frozen=True, kw_only=True, tag="start"):
    """Where a run begins."""


class End(_Step, frozen=True, kw_only=True, tag="end"):
    """Ends its branch; on the main line, the run."""


class Notify(_Step, frozen=True, kw_only=True, tag="notify"):
    """Tells the people of a role; done when the notices are queued. No `channels`: each person's own."""

    to: Role
    channels: tuple[Words, ...] = ()


class Manual(_Step, frozen=True, kw_only=True, tag="manual"):
    """Stays open until a person of the owner role has done it and filled the form.

    Fields:
        command: The text of a foreign command that nobody but a person carries out, with its name.
        obligation: The report that the person files outside with this step, if it is one.
    """

    form: dict[VariableName, Field] = {}
    command: Words | None = None
    obligation: Words | None = None


class Approve(_Step, frozen=True, kw_only=True, tag="approve"):
    """Waits for `quorum` different people of the owner role or its deputy; one refusal fails it.

    `four_eyes`: nobody who completed an earlier step of the run may approve.
    """

    quorum: Annotated[int, Meta(ge=1, le=20)] = 1
    four_eyes: bool = False
    deputy: Role | None = None


class HttpRequest(_Step, frozen=True, kw_only=True, tag="http_request"):
    """Queues a JSON request to an address on the settings' `http_allow`; carries the step's key."""

    url: Words
    body: dict[str, Any] = {}


class OrderAgent(_Step, frozen=True, kw_only=True, tag="order_agent"):
    """Orders the incident's node to do one typed thing and waits for the outcome."""

    order: OrderKind
    params: dict[str, Any] = {}


class FileReport(_Step, frozen=True, kw_only=True, tag="file_report"):
    """Files what an obligation owes; done when it is queued. Skipped where it is not owed.

    `complete: false`: required items are left open, so that the law's time for the supplement begins.
    """

    obligation: Words
    content: dict[str, Words] = {}
    complete: bool = False


class Wait(_Step, frozen=True, kw_only=True, tag="wait"):
    """Waits for a length of time, a time, the incident's state (or a later one), or a report's receipt."""

    length: timedelta | None = field(name="for", default=None)
    until: datetime | None = None
    incident: IncidentState | None = None
    receipt: Words | None = None

    def __post_init__(self) -> None:
        """Refuse to wait for nothing, or for two things."""
        given = [self.length, self.until, self.incident, self.receipt]
        if sum(each is not None for each in given) != 1:
            raise ValueError("exactly one of for, until, incident, receipt")


class Parallel(_Step, frozen=True, kw_only=True, tag="parallel"):
    """All branches at once; joins when all have ended.

    Fields:
        on_branch_failure: `wait` lets the other branches end, then fails; `cancel` ends them at once and
            fails; `continue` goes on all the same.
    """

    branches: Annotated[tuple[StepId, ...], Meta(min_length=1)]
    on_branch_failure: Literal["wait", "cancel", "continue"] = "wait"


class If(_Step, frozen=True, kw_only=True, tag="if-condition"):
    """One of two branches; the second may be empty. An unknown condition is decided by the owner."""

    condition: Expression
    then: StepId
    otherwise: StepId | None = field(name="else", default=None)


class While(_Step, frozen=True, kw_only=True, tag="while-condition"):
    """A branch again and again while the condition is true; more than `at_most` rounds fail it."""

    condition: Expression
    do: StepId
    at_most: Annotated[int, Meta(ge=1, le=10_000)] = 100


class Switch(_Step, frozen=True, kw_only=True, tag="switch-condition"):
    """The branch whose case is the expression's value as text; `default` where none is."""

    value: Expression
    cases: Annotated[dict[str, StepId], Meta(min_length=1)]
    default: StepId | None = None


class Regrade(_Step, frozen=True, kw_only=True, tag="regrade"):
    """Looks at the response level anew: raised at once as the incident's is, lowered on a person's word.

    Fields:
        decide: `incident` takes the incident's level, `owner` asks the owner role in any case.
        raised, lowered: What is done besides after the level has become graver, or less grave.
    """

    decide: Literal["incident", "owner"] = "incident"
    raised: StepId | None = None
    lowered: StepId | None = None


class PlaybookAction(_Step, frozen=True, kw_only=True, tag="playbook-action"):
    """Another plan as a branch, in the variables of this one. `pin` puts its steps in, from `first` on."""

    plan: PlanId
    first: StepId | None = None


Step = (
    Start
    | End
    | Notify
    | Manual
    | Approve
    | HttpRequest
    | OrderAgent
    | FileReport
    | Wait
    | Parallel
    | If
    | While
    | Switch
    | Regrade
    | PlaybookAction
)
BRANCHING = (Parallel, If, While, Switch, Regrade, PlaybookAction)
PERSONAL = (Manual, Approve)


class Plan(Struct, frozen=True, kw_only=True):
    """An emergency plan.

    Fields:
        id: The file's name without its ending.
        classes: GB/T 20986-2023 codes of the incidents it is for; empty: started by hand or by hint alone.
        levels: Response levels it is for; an ungraded incident counts as IV.
        asset_roles: Only for assets of these roles; empty: any.
        may_start: Who may start it by hand, and set a run to this level; a level not named: the duty officer.
        raised, lowered: First steps of what is done besides when the level changes while a run is under way.
        warnings: Colours of warnings from above that start it, where one is of its classes.
        roles: Roles beyond duty, leader and superior, as people bear them in the register.
        first: The step a run begins with.
    """

    id: PlanId
    name: Text
    summary: Text | None = None
    version: Words = "1"
    classes: tuple[ClassCode, ...] = ()
    levels: tuple[Level, ...] = LEVELS
    asset_roles: tuple[Words, ...] = ()
    may_start: dict[Level, Role] = {}
    warnings: tuple[WarningColour, ...] = ()
    raised: StepId | None = None
    lowered: StepId | None = None
    roles: dict[Role, Text] = {}
    variables: dict[VariableName, Variable] = {}
    first: StepId = "start"
    steps: dict[StepId, Step]
    unknown: dict[str, Any] = {}


def branches_of(step: Step) -> tuple[str, ...]:  # noqa: PLR0911 - one for each kind that branches
    """Return the first steps of a step's branches; none where it does not branch."""
    if isinstance(step, Parallel):
        return step.branches
    if isinstance(step, If):
        return (step.then,) if step.otherwise is None else (step.then, step.otherwise)
    if isinstance(step, While):
        return (step.do,)
    if isinstance(step, Switch):
        return (*step.cases.values(), *([step.default] if step.default else []))
    if isinstance(step, Regrade):
        return tuple(each for each in (step.raised, step.lowered) if each is not None)
    if isinstance(step, PlaybookAction) and step.first is not None:
        return (step.first,)
    return ()


def followers_of(step: Step) -> tuple[str, ...]:
    """Return the steps that may follow a step at its own level."""
    after = [step.next, None if step.on_failure == CONTINUE else step.on_failure]
    return tuple(each for each in after if each is not None)


def obligations_of(plan: Plan) -> frozenset[str]:
    """Return the obligations that a plan's steps file, themselves or by a person's hand."""
    filed = (step.obligation for step in plan.steps.values() if isinstance(step, FileReport | Manual))
    return frozenset(each for each in filed if each)
