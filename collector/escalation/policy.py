"""An escalation policy: a chain of steps a level, and who hears of a running clock.

>>> policy = read_policy('''
... id: small
... chains: {default: [{to: duty, after: 0s, repeat: 1, every: 5m}, {to: leader, after: 30m}]}
... ''', "small.yaml")
>>> [step.to for step in policy.chain("II")]
['duty', 'leader']
>>> policy.told("overdue_3")
('duty', 'leader', 'superior')
"""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

from wire.vocabulary import Level

from .. import yaml_marks
from ..yaml_marks import Mistake, Mistakes, Node
from .matter import BODIES, Bodies, Matter

To = Literal[
    "duty",
    "leader",
    "superior",
    "authority",
    "informatization",
    "police",
    "state_security",
    "secrecy",
    "cryptography",
]
ChainName = Literal["I", "II", "III", "IV", "default"]
_CHAINS: tuple[ChainName, ...] = ("I", "II", "III", "IV", "default")
_MINUTE = timedelta(minutes=1)
_Times = Annotated[int, Meta(ge=0, le=20)]
_Percent = Annotated[int, Meta(ge=1, le=99)]
_Warnings = Annotated[tuple[_Percent, ...], Meta(min_length=2, max_length=2)]
_People = Annotated[int, Meta(ge=1, le=9)]


class Step(Struct, frozen=True, kw_only=True):
    """One step of a chain.

    Fields:
        to: Whose turn it is; `authority`: every body whose matter it is; a body's name: that one, if it is.
        after: How long after the chain began.
        channels: Channels of the settings, in this order; empty: all that a person has.
        repeat, every: How often it is said again, and how long between.
    """

    to: To
    after: timedelta
    channels: tuple[str, ...] = ()
    repeat: _Times = 0
    every: timedelta = timedelta(minutes=5)


Chain = tuple[Step, ...]


class Chains(Struct, frozen=True, kw_only=True):
    """A chain a level; a level without one of its own has `default`."""

    default: Chain
    I: Chain | None = None  # noqa: E741 - the level's own name
    II: Chain | None = None
    III: Chain | None = None
    IV: Chain | None = None


class Again(Struct, frozen=True, kw_only=True):
    """How often a chain that nobody ended begins anew, and how long after its last step."""

    times: _Times = 0
    after: timedelta = timedelta(minutes=15)


class Acknowledgements(Struct, frozen=True, kw_only=True):
    """How many different people must take an incident on before its chain ends."""

    default: _People = 1
    I: _People | None = None  # noqa: E741 - the level's own name
    II: _People | None = None
    III: _People | None = None
    IV: _People | None = None


class Progress(Struct, frozen=True, kw_only=True):
    """Within what time after an acknowledgement a person must have done something; none: it never expires."""

    default: timedelta | None = None
    I: timedelta | None = None  # noqa: E741 - the level's own name
    II: timedelta | None = None
    III: timedelta | None = None
    IV: timedelta | None = None


class AlarmPolicy(Struct, frozen=True, kw_only=True):
    """Who hears of a clock at which alarm; `half` and `four_fifths` are the two before it is due."""

    half: tuple[To, ...] = ("duty",)
    four_fifths: tuple[To, ...] = ("duty", "leader")
    due: tuple[To, ...] = ("duty", "leader", "superior")
    overdue: tuple[To, ...] = ("duty", "leader", "superior")
    target: tuple[To, ...] = ("duty", "leader")


class Policy(Struct, frozen=True, kw_only=True):
    """One file of `configs/escalation/`.

    Fields:
        warn_at: At how many per cent of its time a clock is told of, twice before it is due.
        overdue_every: How often an overdue clock is told again.
        bodies: Whose matter is what.
    """

    id: str
    chains: Chains
    name: str = ""
    name_en: str = ""
    again: Again = Again()
    acknowledgements: Acknowledgements = Acknowledgements()
    progress: Progress = Progress()
    bodies: Bodies = Bodies()
    alarms: AlarmPolicy = AlarmPolicy()
    warn_at: _Warnings = (50, 80)
    overdue_every: timedelta = timedelta(minutes=15)

    def chain(self, level: Level | None) -> tuple[Step, ...]:
        """Return the steps for an incident of this level; ungraded ones have the default chain."""
        own: Chain | None = getattr(self.chains, level or "default")
        return own or self.chains.default

    def needed(self, level: Level | None) -> int:
        """Return how many people must acknowledge an incident of this level."""
        own: int | None = getattr(self.acknowledgements, level or "default")
        return own or self.acknowledgements.default

    def progress_within(self, level: Level | None) -> timedelta | None:
        """Return how long an acknowledgement of this level holds without progress; None: for ever."""
        own: timedelta | None = getattr(self.progress, level or "default")
        return own or self.progress.default

    def told(self, kind: str) -> tuple[To, ...]:
        """Return who hears of an alarm of this kind."""
        name = "overdue" if kind.startswith("overdue_") else kind
        found: tuple[To, ...] = getattr(self.alarms, name)
        return found

    def means(self, to: To, matter: Matter) -> tuple[str, ...]:
        """Return the roles that `to` means for a matter; none where it is no matter of the body."""
        if to != "authority" and to not in BODIES:
            return (to,)
        competent = self.bodies.competent(matter)
        if to == "authority":
            return competent
        return (to,) if to in competent else ()


def read_policy(text: str, file: str, classes: Collection[str] | None = None) -> Policy:
    """Read one policy.

    Args:
        text: Its YAML.
        file: Its name for mistakes.
        classes: Codes that a matter may name; None: not looked at.

    Raises:
        Mistakes: Every mistake of the file, each with its place.
    """
    tree = yaml_marks.read(text, file)
    policy = yaml_marks.decode(tree, Policy)
    mistakes = [*_check_chains(policy, tree), *_check_lengths(policy, tree)]
    if classes is not None:
        mistakes += _check_classes(policy, tree, classes)
    if mistakes:
        raise Mistakes(mistakes)
    return policy


def read_policies(
    files: Iterable[tuple[str, str]], classes: Collection[str] | None = None
) -> dict[str, Policy]:
    """Read pairs of file name and text; a later file replaces an earlier one of the same id.

    Raises:
        Mistakes: Every mistake of every file.
    """
    policies: dict[str, Policy] = {}
    mistakes: list[Mistake] = []
    for file, text in files:
        try:
            policy = read_policy(text, file, classes)
        except Mistakes as error:
            mistakes.extend(error.mistakes)
        else:
            policies[policy.id] = policy
    if mistakes:
        raise Mistakes(mistakes)
    return policies


def _check_chains(policy: Policy, tree: Node) -> list[Mistake]:
    mistakes = []
    for name in _CHAINS:
        steps: Chain | None = getattr(policy.chains, name)
        if steps == ():
            mistakes.append(tree.mistake(f"chains.{name}", "no steps", "one step at least"))
        waits = [step.after for step in steps or ()]
        for index, after in enumerate(waits):
            path = f"chains.{name}[{index}].after"
            if index and after < waits[index - 1]:
                expected = f"a time not before the step above ({_text(waits[index - 1])})"
                mistakes.append(tree.mistake(path, _text(after), expected))
        for index, step in enumerate(steps or ()):
            if step.every < _MINUTE:
                path = f"chains.{name}[{index}].every"
                mistakes.append(tree.mistake(path, _text(step.every), "a minute or more"))
    return mistakes


def _check_lengths(policy: Policy, tree: Node) -> list[Mistake]:
    lengths: dict[str, timedelta | None] = {
        "overdue_every": policy.overdue_every,
        "again.after": policy.again.after,
    }
    lengths |= {f"progress.{name}": getattr(policy.progress, name) for name in _CHAINS}
    mistakes = [
        tree.mistake(path, _text(length), "a minute or more")
        for path, length in lengths.items()
        if length is not None and length < _MINUTE
    ]
    first, second = policy.warn_at
    if first >= second:
        mistakes.append(tree.mistake("warn_at", f"[{first}, {second}]", "the earlier moment first"))
    return mistakes


def _check_classes(policy: Policy, tree: Node, classes: Collection[str]) -> list[Mistake]:
    return [
        tree.mistake(
            f"bodies.{body}.matters[{number}].classes[{place}]", repr(code), "a code of the table of classes"
        )
        for body in BODIES
        for number, condition in enumerate(policy.bodies.of(body).matters)
        for place, code in enumerate(condition.classes)
        if code not in classes
    ]


def _text(length: timedelta) -> str:
    return yaml_marks.format_duration(length)
