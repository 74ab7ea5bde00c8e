"""The sequence rules by what they promise: nothing accepted is lost, nothing sent twice is stored twice."""

import doctest
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire import session
from wire.session import (
    DisorderError,
    Drop,
    Held,
    Refuse,
    Renumber,
    Repeat,
    Rewind,
    Slice,
    Take,
    receive,
    recover,
    settle,
)


def batch(after: int, after_id: str, *reports: tuple[int, str]) -> Slice:
    return Slice(after, after_id, [number for number, _ in reports], [name for _, name in reports])


def test_the_story_in_the_module_is_true() -> None:
    assert doctest.testmod(session).failed == 0


def test_a_first_batch_is_taken_whole() -> None:
    assert receive(Held(), batch(0, "", (1, "a"), (2, "b"))) == Take(Held(2, "b"), 2, 0)


def test_numbers_that_the_outbox_dropped_are_counted() -> None:
    assert receive(Held(2, "b"), batch(2, "b", (5, "e"), (9, "i"))) == Take(Held(9, "i"), 2, 5)


def test_an_overlapping_batch_is_cut_to_its_new_part() -> None:
    assert receive(Held(2, "b"), batch(0, "", (1, "a"), (2, "b"), (3, "c"))) == Take(Held(3, "c"), 1, 0)


def test_a_repeated_batch_is_answered_again() -> None:
    assert receive(Held(2, "b"), batch(0, "", (1, "a"), (2, "b"))) == Repeat(Held(2, "b"))


def test_a_batch_that_builds_on_more_than_is_held_is_a_gap() -> None:
    assert receive(Held(2, "b"), batch(5, "e", (6, "f"))) == Refuse("gap", Held(2, "b"))


@pytest.mark.parametrize(
    "clone",
    [
        batch(2, "other", (3, "c")),
        batch(1, "a", (2, "other")),
        batch(1, "a", (2, "other"), (3, "c")),
        batch(1, "a", (3, "c")),
    ],
    ids=["other parent", "other last", "other within", "number missing"],
)
def test_another_writer_on_one_epoch_is_a_fork(clone: Slice) -> None:
    assert receive(Held(2, "b"), clone) == Refuse("fork", Held(2, "b"))


@pytest.mark.parametrize("numbers", [(2, 1), (1, 1), (0,)])
def test_numbers_that_do_not_ascend_are_refused_as_disorder(numbers: tuple[int, ...]) -> None:
    with pytest.raises(DisorderError, match="numbers ascend from above after=0"):
        receive(Held(), Slice(0, "", numbers, ["x"] * len(numbers)))


def test_an_agent_drops_only_what_was_its_own() -> None:
    assert settle(Held(3, "c"), "c") == Drop(Held(3, "c"))
    assert settle(Held(3, "c"), "mine") == Renumber()
    assert settle(Held(3, "c"), None) == Renumber()
    assert settle(Held(), None) == Drop(Held())


def test_a_refused_agent_goes_back_or_begins_anew() -> None:
    assert recover("gap", Held(2, "b")) == Rewind(Held(2, "b"))
    assert recover("fork", Held(2, "b")) == Renumber()


@dataclass
class Writer:
    """An agent as the rules see it: its unacknowledged reports and what it builds on."""

    name: str
    epoch: str = "0"
    acked: Held = field(default_factory=Held)
    rows: dict[int, str] = field(default_factory=dict)
    made: int = 0
    epochs: int = 0

    def accept(self, tag: str) -> str:
        number = max(self.rows, default=self.acked.highest) + 1
        self.made += 1
        self.rows[number] = f"{self.name}{tag}{self.made}"
        return self.rows[number]

    def clone(self, name: str) -> "Writer":
        return Writer(name, self.epoch, self.acked, dict(self.rows), self.made)

    def renumber(self) -> None:
        self.epochs += 1
        self.epoch = f"{self.name}.{self.epochs}"
        self.rows = dict(enumerate(self.rows.values(), start=1))
        self.acked = Held()

    def own_id(self, number: int) -> str | None:
        return self.acked.highest_id if number == self.acked.highest else self.rows.get(number)


@dataclass
class Log:
    """A collector as the rules see it."""

    held: dict[str, Held] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)

    def exchange(self, writer: Writer, size: int, *, answered: bool) -> None:
        numbers = sorted(writer.rows)[:size]
        if not numbers:
            return
        sent = Slice(
            writer.acked.highest, writer.acked.highest_id, numbers, [writer.rows[n] for n in numbers]
        )
        held = self.held.get(writer.epoch, Held())
        step = receive(held, sent)
        if isinstance(step, Take):
            self.stored += [i for n, i in zip(numbers, sent.ids, strict=True) if n > held.highest]
            self.held[writer.epoch] = step.held
        if not answered:
            return
        verdict = (
            recover(step.reason, step.held)
            if isinstance(step, Refuse)
            else settle(step.held, writer.own_id(step.held.highest))
        )
        if isinstance(verdict, Renumber):
            writer.renumber()
        elif isinstance(verdict, Drop):
            writer.acked = max(writer.acked, verdict.held, key=lambda known: known.highest)
            writer.rows = {n: i for n, i in writer.rows.items() if n > verdict.held.highest}
        else:
            writer.acked = verdict.held


moves = st.lists(
    st.one_of(
        st.tuples(st.just("accept"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("send"), st.integers(0, 1), st.integers(1, 4)),
        st.tuples(st.just("lose answer"), st.integers(0, 1), st.integers(1, 4)),
        st.tuples(st.just("clone"), st.just(0), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=400)
@given(moves)
def test_whatever_answers_are_lost_and_whoever_is_cloned_every_accepted_report_arrives(
    history: list[tuple[str, int, int]],
) -> None:
    log, writers, accepted = Log(), [Writer("a")], []
    cloned = False
    for step, (move, who, size) in enumerate(history):
        writer = writers[min(who, len(writers) - 1)]
        if move == "accept":
            accepted.append(writer.accept(f"-{step}-"))
        elif move == "clone" and not cloned:
            cloned = True
            writers.append(writer.clone("b"))
        else:
            log.exchange(writer, size, answered=move == "send")
    for _ in range(3 * len(history) + 3):
        for writer in writers:
            log.exchange(writer, 3, answered=True)

    assert all(not writer.rows for writer in writers)
    assert set(accepted) <= set(log.stored)
    if not cloned:
        assert len(log.stored) == len(set(log.stored)) == len(accepted)


def test_a_restored_collector_is_followed_from_what_it_still_holds() -> None:
    log, writer = Log(), Writer("a")
    for _ in range(3):
        writer.accept("x")
    log.exchange(writer, 3, answered=True)
    log.held["0"] = Held(1, log.stored[0])
    last = writer.accept("x")
    log.exchange(writer, 3, answered=True)
    log.exchange(writer, 3, answered=True)

    assert log.stored[-1] == last
    assert writer.rows == {}
