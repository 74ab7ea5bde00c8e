"""Parameters of orders: typed, bounded, and refused with their place."""

from contextlib import suppress
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.orders import MAX_PARAMS, PARAMS, CollectEvidence, ParamsError, StopProcess, read_params
from wire.vocabulary import ORDER_STATES, ORDERS, OrderKind, OrderState

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


def test_every_kind_of_order_has_parameters_and_a_name() -> None:
    assert list(get_args(OrderKind)) == list(PARAMS) == list(ORDERS)
    assert list(get_args(OrderState)) == list(ORDER_STATES)


@pytest.mark.parametrize("kind", ["block_address", "unblock_address", "snapshot_traffic"])
def test_an_ipv4_address_that_is_written_as_an_ipv6_one_is_read_as_packets_bear_it(kind: OrderKind) -> None:
    """So the logs of a program that listens for both write it; in no packet it would be found."""
    read = read_params(kind, {"address": "::ffff:203.0.113.9"})

    assert read == read_params(kind, {"address": "203.0.113.9"})


@pytest.mark.parametrize(
    ("kind", "params", "told"),
    [
        ("collect_evidence", {"items": "sockets"}, "params.items: Expected `array | null`, got `str`"),
        ("collect_evidence", {"items": ["shell"]}, "params.items[0]: Invalid enum value 'shell'"),
        ("collect_evidence", {"path": "/etc/shadow"}, "params: Object contains unknown field `path`"),
        ("block_address", {}, "params: Object missing required field `address`"),
        ("block_address", {"address": "gov.cn"}, "params.address: found 'gov.cn', expected an IP address or"),
        ("block_address", {"address": "10.0.0.1/8"}, "params.address: found '10.0.0.1/8', expected an IP"),
        ("block_address", {"address": "10.0.0.1", "seconds": 10**9}, "params.seconds: Expected `int` <= "),
        ("stop_process", {"pid": 1, "program": "/sbin/init"}, "params.pid: Expected `int` >= 2"),
        ("apply_settings", {"version": 0, "settings": {}}, "params.version: Expected `int` >= 1"),
        ("apply_settings", {"version": 1, "settings": {"x": "y" * MAX_PARAMS}}, "params: found 655"),
    ],
)
def test_what_a_kind_does_not_take_is_refused_with_its_place(
    kind: OrderKind, params: dict[str, Any], told: str
) -> None:
    with pytest.raises(ParamsError) as caught:
        read_params(kind, params)

    assert told in str(caught.value)


def test_parameters_become_the_kinds_own_struct() -> None:
    assert read_params("stop_process", {"pid": 7, "program": "/bin/x"}) == StopProcess(
        pid=7, program="/bin/x"
    )
    assert read_params("collect_evidence", {}) == CollectEvidence()


@given(kind=st.sampled_from(sorted(PARAMS)), params=st.dictionaries(st.text(max_size=10), JSON, max_size=4))
def test_whatever_comes_is_read_or_refused(kind: OrderKind, params: dict[str, Any]) -> None:
    with suppress(ParamsError):
        assert type(read_params(kind, params)) is PARAMS[kind]
