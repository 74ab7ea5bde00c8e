"""What an authority wants to see go down is counted from the verdicts, and never more than there is."""

import doctest
from importlib import import_module

from hypothesis import given
from hypothesis import strategies as st

from collector.exposure import Standing, Way, standing, together
from wire.vocabulary import VERDICTS

WAYS = st.lists(
    st.builds(
        Way,
        unit=st.just("u"),
        node=st.sampled_from(["a", "b", "c"]),
        key=st.sampled_from(
            ["way/eth0/10.0.0.1/4", "way/usb0/-/4", "proxy/p:1", "service/tcp/22", "gateway"]
        ),
        verdict=st.sampled_from(sorted(VERDICTS)),
        next_hop=st.sampled_from([None, "10.0.0.1", "10.0.0.2"]),
        sanctioned_by=st.none(),
    ),
    max_size=20,
)


def way(node: str, verdict: str, next_hop: str | None = "10.0.0.1", by: str | None = None) -> Way:
    key = f"way/eth0/{next_hop or '-'}/4"
    return Way("u", node, key, verdict, next_hop, by)  # type: ignore[arg-type] - a verdict's name


def test_many_hosts_behind_one_gateway_have_one_exit() -> None:
    found = standing([way(node, "sanctioned", by="unified") for node in "abc"], declared=1, nodes=5)

    assert found == Standing(1, 1, 0, 5, 0, 3)
    assert found.share == 1.0


def test_a_way_without_a_next_hop_is_its_hosts_own() -> None:
    found = standing([way("a", "used", None), way("b", "available", None)], declared=0, nodes=2)

    assert (found.observed, found.unsanctioned, found.outside) == (2, 2, 2)


def test_a_host_with_a_registered_exit_and_another_is_outside() -> None:
    found = standing([way("a", "sanctioned", by="unified"), way("a", "used", "192.168.42.129")], 1, 1)

    assert (found.outside, found.behind, found.share) == (1, 0, 0.0)


def test_where_no_host_has_a_way_out_there_is_no_share() -> None:
    assert standing([], declared=2, nodes=4).share is None


def test_units_together_are_their_sum() -> None:
    assert together({"a": Standing(1, 2, 1, 5, 1, 3), "b": Standing(1, 1, 0, 5, 0, 5)}) == Standing(
        2, 3, 1, 10, 1, 8
    )


@given(WAYS)
def test_no_host_is_counted_twice_and_nothing_unsanctioned_is_not_observed(ways: list[Way]) -> None:
    found = standing(ways, declared=1, nodes=3)

    assert found.outside + found.behind <= len({way.node for way in ways})
    assert found.unsanctioned <= found.observed <= len(ways)
    assert found.share is None or 0 <= found.share <= 1


def test_the_example_of_the_file_is_true() -> None:
    assert doctest.testmod(import_module("collector.exposure.standing")).failed == 0
