import doctest
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from agent.outbox import bounds
from agent.outbox.bounds import KEPT_ON_A_SHORT_DISK, rank, telemetry_ceiling
from agent.settings import Bounds
from wire.messages import ReportKind


def test_every_kind_has_its_place_and_incidents_stand_behind_all_telemetry() -> None:
    ranks = {kind: rank(kind) for kind in get_args(ReportKind)}

    assert max(ranks[kind] for kind in ("sockets", "heartbeat", "asset", "exits")) < ranks["evidence"]
    assert ranks["evidence"] < ranks["incident"] < ranks["gap"]


@given(held=st.integers(0, 2**40), free=st.integers(0, 2**40))
def test_telemetry_gives_back_what_the_disk_lacks_but_keeps_a_mebibyte(held: int, free: int) -> None:
    bounds = Bounds()

    ceiling = telemetry_ceiling(held, free, bounds)

    assert KEPT_ON_A_SHORT_DISK <= ceiling <= bounds.max_bytes
    if free >= bounds.min_free_bytes:
        assert ceiling == bounds.max_bytes
    else:
        assert ceiling <= max(KEPT_ON_A_SHORT_DISK, held - (bounds.min_free_bytes - free))


def test_the_example_is_true() -> None:
    assert doctest.testmod(bounds).attempted
    assert doctest.testmod(bounds).failed == 0
