"""What an authority wants to see go down is counted from the verdicts, and never more than there is."""

import doctest
from importlib import import_module
from itertools import permutations

import pytest
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
        link=st.sampled_from(["eth0", "usb0"]),
        link_kind=st.sampled_from(["wired", "usb_tether"]),
        verdict=st.sampled_from(sorted(VERDICTS)),
        next_hop=st.sampled_from([None, "10.0.0.1", "10.0.0.2"]),
        sanctioned_by=st.none(),
    ),
    max_size=20,
)


def way(
    node: str,
    verdict: str,
    next_hop: str | None = "10.0.0.1",
    by: str | None = None,
    *,
    kind: str = "wired",
    family: int = 4,
) -> Way:
    key = f"way/eth0/{next_hop or '-'}/{family}"
    return Way("u", node, key, "eth0", kind, verdict, next_hop, by)  # type: ignore[arg-type] - names


def test_many_hosts_behind_one_gateway_have_one_exit() -> None:
    found = standing([way(node, "sanctioned", by="unified") for node in "abc"], declared=1, nodes=5)

    assert found == Standing(1, 1, 0, 5, 0, 3)
    assert found.share == 1.0


def test_a_way_without_a_next_hop_is_its_hosts_own() -> None:
    found = standing([way("a", "used", None), way("b", "available", None)], declared=0, nodes=2)

    assert (found.observed, found.unsanctioned, found.outside) == (2, 2, 2)


@pytest.mark.parametrize("kind", ["usb_tether", "wwan", "ppp", "tun", "wireguard"])
def test_every_stick_and_phone_is_an_exit_of_its_own_though_all_have_one_makers_address(kind: str) -> None:
    sticks = [way(node, "used", "192.168.8.1", kind=kind) for node in "abc"]

    assert standing(sticks, 0, 3).unsanctioned == 3
    assert standing([way(node, "used", "192.168.8.1", kind="wifi") for node in "abc"], 0, 3).unsanctioned == 1


def test_both_families_over_a_hosts_own_link_are_one_exit() -> None:
    found = standing([way("a", "used", None), way("a", "used", None, family=6)], 0, 1)

    assert (found.observed, found.unsanctioned) == (1, 1)


def test_a_gateway_that_is_right_for_one_host_and_not_for_another_is_unsanctioned_in_any_order() -> None:
    ways = [way("a", "sanctioned"), way("b", "available"), way("c", "sanctioned")]

    for order in permutations(ways):
        assert (standing(order, 0, 3).observed, standing(order, 0, 3).unsanctioned) == (1, 1)


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
