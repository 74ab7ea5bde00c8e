import doctest
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from agent.outbox import bounds
from agent.outbox.bounds import KEPT_ON_A_SHORT_DISK, collapses, rank, telemetry_ceiling
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


def exits(*greeted: str, count: int = 1, routes: tuple[str, ...] = ("eth0",)) -> dict[str, object]:
    webmail = [{"name": "mail.qq.com", "count": count, "greeted": list(greeted)}]
    return {"routes": list(routes), "webmail": webmail, "webmail_unread": count}


def test_a_server_that_was_greeted_by_a_name_of_webmail_is_told_though_the_hour_is_over() -> None:
    """A collector that was away for two hours would else hear that the name was only asked for."""
    once, again, over = exits("203.0.113.9"), exits("203.0.113.9", "203.0.113.10", count=7), exits(count=8)

    assert collapses("exits", once, again)
    assert not collapses("exits", again, over)
    assert not collapses("exits", once, exits("203.0.113.10"))
    assert collapses("exits", over, once)
    assert not collapses("exits", once, exits("203.0.113.9", routes=("eth0", "ppp0")))
    assert collapses("exits", {"routes": []}, {"routes": [], "webmail": []})
