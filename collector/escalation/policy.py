"""An escalation policy: a chain of steps a level, and who hears of a running clock.

>>> policy = read_policy('''
... id: small
... chains: {default: [{to: duty, after: 0s}, {to: leader, after: 30m}]}
... ''', "small.yaml")
>>> [step.to for step in policy.chain("II")]
['duty', 'leader']
>>> policy.told("overdue_3")
('duty', 'leader', 'superior')
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Literal

from msgspec import Struct

from wire.vocabulary import Level

from .. import yaml_marks
from ..yaml_marks import Mistake, Mistakes, Node

To = Literal["duty", "leader", "superior"]
ChainName = Literal["I", "II", "III", "IV", "default"]
_CHAINS: tuple[ChainName, ...] = ("I", "II", "III", "IV", "default")
_MINUTE = timedelta(minutes=1)


class Step(Struct, frozen=True, kw_only=True):
    """One step of a chain.

    Fields:
        to: Whose turn it is.
        after: How long after the chain began.
        channels: Channels of the settings, in this order; empty: all that a person has.
    """

    to: To
    after: timedelta
    channels: tuple[str, ...] = ()


Chain = tuple[Step, ...]


class Chains(Struct, frozen=True, kw_only=True):
    """A chain a level; a level without one of its own has `default`."""

    default: Chain
    I: Chain | None = None  # noqa: E741 - the level's own name
    II: Chain | None = None
    III: Chain | None = None
    IV: Chain | None = None


class AlarmPolicy(Struct, frozen=True, kw_only=True):
    """Who hears of a clock at which alarm."""

    half: tuple[To, ...] = ("duty",)
    four_fifths: tuple[To, ...] = ("duty", "leader")
    due: tuple[To, ...] = ("duty", "leader", "superior")
    overdue: tuple[To, ...] = ("duty", "leader", "superior")
    target: tuple[To, ...] = ("duty", "leader")


class Policy(Struct, frozen=True, kw_only=True):
    """One file of `configs/escalation/`.

    Fields:
        overdue_every: How often an overdue clock is told again.
    """

    id: str
    chains: Chains
    name: str = ""
    name_en: str = ""
    alarms: AlarmPolicy = AlarmPolicy()
    overdue_every: timedelta = timedelta(minutes=15)

    def chain(self, level: Level | None) -> tuple[Step, ...]:
        """Return the steps for an incident of this level; ungraded ones have the default chain."""
        return (getattr(self.chains, level) if level else None) or self.chains.default

    def told(self, kind: str) -> tuple[To, ...]:
        """Return who hears of an alarm of this kind."""
        name = "overdue" if kind.startswith("overdue_") else kind
        found: tuple[To, ...] = getattr(self.alarms, name)
        return found


def read_policy(text: str, file: str) -> Policy:
    """Read one policy.

    Raises:
        Mistakes: Every mistake of the file, each with its place.
    """
    tree = yaml_marks.read(text, file)
    policy = yaml_marks.decode(tree, Policy)
    if mistakes := [*_check_chains(policy, tree), *_check_repeat(policy, tree)]:
        raise Mistakes(mistakes)
    return policy


def read_policies(files: Iterable[tuple[str, str]]) -> dict[str, Policy]:
    """Read pairs of file name and text; a later file replaces an earlier one of the same id.

    Raises:
        Mistakes: Every mistake of every file.
    """
    policies: dict[str, Policy] = {}
    mistakes: list[Mistake] = []
    for file, text in files:
        try:
            policy = read_policy(text, file)
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
    return mistakes


def _check_repeat(policy: Policy, tree: Node) -> list[Mistake]:
    if policy.overdue_every >= _MINUTE:
        return []
    return [tree.mistake("overdue_every", _text(policy.overdue_every), "a minute or more")]


def _text(length: timedelta) -> str:
    return yaml_marks.format_duration(length)
