import sqlite3
from datetime import UTC, datetime

from agent.clock import Clock
from agent.outbox import Bounds, Entry, Ledger, OrderBook, create
from wire.messages import Outcome

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


def made() -> tuple[OrderBook, Ledger]:
    clock = Clock(lambda: NOW, lambda: 60.0, "boot")
    db = create(sqlite3.connect(":memory:", isolation_level=None), NOW)
    ledger = Ledger(db, clock, Bounds())
    return OrderBook(db, clock, ledger), ledger


def outcome(order: str) -> Outcome:
    return Outcome(version=1, order=order, state="done", at=NOW, detail={"size": 3})


def test_an_order_has_one_outcome_and_its_evidence_is_written_with_it_once() -> None:
    book, ledger = made()
    evidence = [Entry("evidence", "orders", NOW, {"chunk": 0})]

    assert book.conclude(outcome("o1"), evidence)
    assert not book.conclude(outcome("o1"), evidence)

    assert ledger.status().reports == 1
    assert book.untold() == [outcome("o1")]


def test_an_outcome_is_told_until_the_collector_has_it_and_again_when_it_asks_again() -> None:
    book, _ = made()
    assert not book.ended("o1")
    book.conclude(outcome("o1"), [])

    book.told("o1")
    assert book.untold() == []

    assert book.ended("o1")
    assert book.untold() == [outcome("o1")]
