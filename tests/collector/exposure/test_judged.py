from typing import get_args

from collector.exposure import GRAVITY, Judged, worst
from wire.vocabulary import Verdict


def one(verdict: Verdict) -> Judged:
    return Judged(
        key=verdict,
        verdict=verdict,
        link="eth0",
        link_kind="wired",
        next_hop=None,
        addresses=(),
        sanctioned_by=None,
        reasons=(),
        evidence=(),
    )


def test_every_verdict_has_its_gravity() -> None:
    assert set(GRAVITY) == set(get_args(Verdict))
    assert len(set(GRAVITY.values())) == len(GRAVITY)


def test_a_nodes_verdict_is_the_gravest() -> None:
    assert worst([one("sanctioned"), one("used"), one("available")]) == "used"
    assert worst([one("sanctioned"), one("unknown")]) == "unknown"
    assert worst([]) is None
