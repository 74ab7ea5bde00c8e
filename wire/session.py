"""The sequence rules: how nothing accepted is lost and nothing sent twice is stored twice.

An agent numbers its reports 1, 2, 3 … within an *epoch* (one life of its outbox file) and gives each an id.
The collector keeps, per node and epoch, the number and the id of the last report it has committed: `Held`.
Every batch says what it builds on, every answer says what is held, and each side believes only what
matches its own rows.

    agent's outbox                       collector's session row
    acked 2 (id b) | 3 c  4 d  5 e       highest 2 (id b)

    after 2 b: [3 c, 4 d]        ->      commit, highest 4 d
                     x ack lost  <-      Ack 4 d
    after 2 b: [3 c, 4 d, 5 e]   ->      4 is d here too: cut to [5 e], commit, highest 5 e
    own row 5 is e: drop         <-      Ack 5 e

Three things can be wrong, and each has one answer:

*gap*: the batch builds on more than is held (the collector was restored from a backup). The agent goes back
to what is held and sends what it still has; the numbers that are gone are counted, and told in a report.

*fork*: at a number both hold, the ids differ: a second writer continued the epoch, as two clones of one
disk do. The collector takes nothing; the agent begins a new epoch and numbers everything it still holds
anew, so that both writers go on side by side and nothing is dropped on either.

*repeat*: all of it is held already. The answer names the last id held, so that a clone that is behind finds
in its own rows that the acknowledged report was never its own: again a fork, again nothing is dropped.

The same story as the code tells it:

>>> from wire.session import Held, Slice, receive, settle
>>> held = Held()
>>> step = receive(held, Slice(after=0, after_id="", numbers=(1, 2), ids=("a", "b")))
>>> step.held, step.fresh, step.missing
(Held(highest=2, highest_id='b'), 2, 0)
>>> step = receive(step.held, Slice(after=0, after_id="", numbers=(1, 2, 3), ids=("a", "b", "c")))
>>> step.held.highest, step.fresh
(3, 1)
>>> receive(step.held, Slice(after=2, after_id="b", numbers=(3, 4), ids=("x", "y")))
Refuse(reason='fork', held=Held(highest=3, highest_id='c'))
>>> settle(step.held, own_id="x")
Renumber()
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct


class Held(Struct, frozen=True):
    """What the collector holds of one node's epoch: the last committed report's number and id."""

    highest: int = 0
    highest_id: str = ""


class Slice(Struct, frozen=True):
    """What the rules need of a batch: `numbers` and `ids` of its reports, in order, and what it builds on."""

    after: int
    after_id: str
    numbers: Sequence[int]
    ids: Sequence[str]


class Take(Struct, frozen=True):
    """Commit the reports numbered above the old `highest`: `fresh` of them; `missing` numbers never came."""

    held: Held
    fresh: int
    missing: int


class Repeat(Struct, frozen=True):
    """All of it is held already: answer as if it had just been committed."""

    held: Held


class Refuse(Struct, frozen=True):
    """Take nothing; the answer says why and what is held."""

    reason: Literal["gap", "fork"]
    held: Held


class Drop(Struct, frozen=True):
    """Agent: everything up to `held.highest` is safe above and may leave the outbox."""

    held: Held


class Rewind(Struct, frozen=True):
    """Agent: build the next batch on `held`."""

    held: Held


class Renumber(Struct, frozen=True):
    """Agent: begin a new epoch and number everything still held anew, from 1."""


class DisorderError(ValueError):
    """A batch whose numbers do not ascend from `after`; no honest outbox makes one."""


def receive(held: Held, batch: Slice) -> Take | Repeat | Refuse:
    """Judge a batch against what is held (collector's role).

    Raises:
        DisorderError: the numbers do not ascend strictly from above `after`.
    """
    _check_order(batch)
    last = batch.numbers[-1]
    if batch.after > held.highest:
        return Refuse("gap", held)
    if not _agrees(held, batch):
        return Refuse("fork", held)
    if last <= held.highest:
        return Repeat(held)
    fresh = sum(number > held.highest for number in batch.numbers)
    return Take(Held(last, batch.ids[-1]), fresh, last - held.highest - fresh)


def settle(held: Held, own_id: str | None) -> Drop | Renumber:
    """Judge an acknowledgement (agent's role).

    Args:
        held: What the collector says it holds.
        own_id: The id of the agent's own report numbered `held.highest`, or of the last acknowledged one;
            None where it has no such report.
    """
    if held.highest == 0 or own_id == held.highest_id:
        return Drop(held)
    return Renumber()


def recover(reason: Literal["gap", "fork"], held: Held) -> Rewind | Renumber:
    """Judge a refusal (agent's role)."""
    return Rewind(held) if reason == "gap" else Renumber()


def _check_order(batch: Slice) -> None:
    previous = batch.after
    for number in batch.numbers:
        if number <= previous:
            raise DisorderError(
                f"report number {number} follows {previous}; numbers ascend from above after={batch.after}"
            )
        previous = number


def _agrees(held: Held, batch: Slice) -> bool:
    """Whether batch and session row name the same report wherever both name the number `held.highest`."""
    if batch.after == held.highest:
        return batch.after_id == held.highest_id
    if batch.numbers[-1] < held.highest:
        return True
    for number, identifier in zip(batch.numbers, batch.ids, strict=True):
        if number == held.highest:
            return identifier == held.highest_id
    return False
