"""What may be in work at once."""

import pytest

from collector.ingest.answers import RefusedError
from collector.ingest.limits import Bounds, Budget

BOUNDS = Bounds(requests=3, bytes=100, per_node=2)


def refusal(budget: Budget, node: str, size: int) -> tuple[str, int, int | None]:
    with pytest.raises(RefusedError) as refused, budget.hold(node, size):
        pass
    return refused.value.reason, refused.value.status, refused.value.retry_after


def test_a_node_that_asks_too_much_at_once_is_told_so() -> None:
    budget = Budget(BOUNDS)
    with budget.hold("a", 1), budget.hold("a", 1):
        assert refusal(budget, "a", 1) == ("too_many", 429, 2)
        with budget.hold("b", 1):
            assert refusal(budget, "c", 1) == ("busy", 503, 2)


def test_bytes_in_work_are_bounded() -> None:
    budget = Budget(BOUNDS)
    with budget.hold("a", 60):
        assert refusal(budget, "b", 41) == ("busy", 503, 2)
        with budget.hold("b", 40):
            pass


def test_what_has_ended_counts_no_more_however_it_ended() -> None:
    budget = Budget(BOUNDS)
    for _ in range(10):
        with pytest.raises(ValueError, match="broken"), budget.hold("a", 100):
            raise ValueError("broken")
    with budget.hold("a", 100):
        pass
