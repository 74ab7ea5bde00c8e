"""Blocks run from when they were ordered, and end when that is over."""

import pytest

from agent.actions import BadParametersError
from agent.actions.blocking import BlockAddress, UnblockAddress
from agent.powers import FirewallError, Local, Never
from agent.powers.firewall import Firewall
from tests.agent.actions.asking import Noted, asked


def test_a_block_is_made_for_the_asked_time() -> None:
    powers = Noted()

    finished = BlockAddress(powers).carry_out(asked("block_address", address="203.0.113.9", seconds=600))

    assert powers.did == [("block", "203.0.113.9", 600)]
    assert finished.detail == {"address": "203.0.113.9", "seconds": 600, "changed": True}


def test_an_order_that_comes_again_after_a_kill_blocks_for_what_is_left() -> None:
    powers = Noted()

    BlockAddress(powers).carry_out(asked("block_address", address="203.0.113.9", seconds=600, late=200))

    assert powers.did == [("block", "203.0.113.9", 400)]


def test_one_whose_time_is_over_blocks_nothing() -> None:
    powers = Noted()

    with pytest.raises(BadParametersError, match="are over"):
        BlockAddress(powers).carry_out(asked("block_address", address="203.0.113.9", seconds=60, late=61))
    assert powers.did == []


def test_a_clock_ahead_of_the_collectors_makes_no_longer_block() -> None:
    powers = Noted()

    BlockAddress(powers).carry_out(asked("block_address", address="203.0.113.9", seconds=60, late=-500))

    assert powers.did == [("block", "203.0.113.9", 60)]


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_is_never_blocked_is_refused_in_a_dry_run_too(*, dry_run: bool) -> None:
    with pytest.raises(BadParametersError, match="the gateway"):
        BlockAddress(Noted(forbids="the gateway")).carry_out(
            asked("block_address", address="10.0.0.1", dry_run=dry_run)
        )


def test_a_dry_run_blocks_and_unblocks_nothing() -> None:
    powers = Noted()

    would = [
        BlockAddress(powers).carry_out(asked("block_address", address="203.0.113.9", dry_run=True)).detail,
        UnblockAddress(powers)
        .carry_out(asked("unblock_address", address="203.0.113.9", dry_run=True))
        .detail,
    ]

    assert [one["would"] for one in would] == ["block", "unblock"]
    assert powers.did == [("look", "203.0.113.9", 3600)]


def test_a_dry_run_fails_where_the_block_would_fail() -> None:
    """Without `nft`, without the right to, without a deputy: whoever looks first hears of it."""
    with pytest.raises(FirewallError, match="nftables"):
        BlockAddress(Local(lambda: Never((), ()), lambda: 0.0, Firewall(("/nowhere/nft",)))).carry_out(
            asked("block_address", address="203.0.113.9", dry_run=True)
        )


def test_unblocking_what_is_not_blocked_is_done() -> None:
    finished = UnblockAddress(Noted(changes=False)).carry_out(asked("unblock_address", address="203.0.113.9"))

    assert finished.detail == {"address": "203.0.113.9", "changed": False}
