import threading
from queue import SimpleQueue

import pytest

from agent.sources.rounds import lookers
from agent.sources.rounds.lookers import Looker


def threads(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_looks_that_come_often_share_a_thread_and_keep_their_order() -> None:
    looker, done = Looker("look-often"), SimpleQueue[tuple[int, int]]()
    for number in range(20):
        looker.do(lambda number=number: done.put((number, threading.get_ident())))  # type: ignore[misc] # bound
    seen = [done.get(timeout=5) for _ in range(20)]

    assert [number for number, _ in seen] == list(range(20))
    assert len({thread for _, thread in seen}) == 1
    (thread,) = threads("look-often")
    assert thread.daemon


def test_a_thread_that_has_nothing_to_do_ends_and_the_next_look_starts_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lookers, "_IDLE_SECONDS", 0.01)
    looker, done = Looker("look-seldom"), SimpleQueue[threading.Thread]()
    looks = []
    for _ in range(3):
        looker.do(lambda: done.put(threading.current_thread()))
        looks.append(done.get(timeout=5))
        looks[-1].join(timeout=5)
        assert threads("look-seldom") == []

    assert len(set(looks)) == 3


def test_no_look_is_lost_between_a_thread_that_ends_and_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes just when the thread gives up is done all the same."""
    monkeypatch.setattr(lookers, "_IDLE_SECONDS", 0.0)
    looker, done = Looker("look-racing"), SimpleQueue[int]()
    for number in range(500):
        looker.do(lambda number=number: done.put(number))  # type: ignore[misc] # bound

        assert done.get(timeout=5) == number
