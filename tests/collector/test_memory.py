"""Python's passes over memory, once a collector has started."""

import gc
from collections.abc import Iterator

import pytest

from collector.memory import settle_memory


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_what_was_made_at_start_is_not_looked_at_again_and_what_comes_later_seldom() -> None:
    made_at_start = [[] for _ in range(1000)]
    before = gc.get_freeze_count()
    settle_memory()

    assert gc.get_freeze_count() - before > len(made_at_start)
    assert gc.isenabled()

    passes = sum(generation["collections"] for generation in gc.get_stats())
    made_later = [[] for _ in range(20_000)]

    assert len(made_later) == 20_000
    assert sum(generation["collections"] for generation in gc.get_stats()) == passes
