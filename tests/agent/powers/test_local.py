"""The verbs in this process: what is never blocked is asked for last, and wins."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from agent.powers import ForbiddenError, Local, Never
from agent.powers.firewall import Kept
from tests.agent.powers.conftest import COLLECTOR, STRANGER

if TYPE_CHECKING:
    from tests.agent.powers.conftest import Host

pytestmark = pytest.mark.root
NEVER = Never(reasons=((ip_network(COLLECTOR), "the collector"),), kept=(Kept(ip_network(COLLECTOR), 8443),))


@pytest.fixture
def powers(host: Host) -> Local:
    return Local(lambda: NEVER, lambda: 0.0, host.firewall)


@pytest.mark.parametrize("address", [COLLECTOR, "10.98.0.0/16", "0.0.0.0/1"])
def test_a_block_that_takes_in_the_collector_is_forbidden(host: Host, powers: Local, address: str) -> None:
    with pytest.raises(ForbiddenError, match="the collector"):
        powers.block(address, 60, dry_run=True)
    with pytest.raises(ForbiddenError, match="never blocked"):
        powers.block(address, 60)

    assert host.firewall.blocks() == []


def test_blocks_and_isolation_begin_and_end(host: Host, powers: Local) -> None:
    assert (powers.block(STRANGER, 60), powers.block(STRANGER, 60)) == (True, False)
    assert not host.reaches(STRANGER, 80)
    assert (powers.isolate(60), powers.release(), powers.release()) == (True, True, False)
    assert powers.unblock(STRANGER)
    assert host.reaches(STRANGER, 80)
