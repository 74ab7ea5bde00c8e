"""The socket that says "look again", held against the kernel through `ip`."""

import select

import pytest

from agent.netlink.changes import Changes
from agent.netlink.message import HEADER
from agent.netlink.rtnetlink import NEWNEIGH
from tests.agent.netlink.test_rtnetlink import neighbour


@pytest.mark.parametrize(
    ("address", "mac", "heard"),
    [
        ("198.18.0.1", "02:00:00:00:00:66", True),  # somebody else answers for the next hop
        ("198.18.0.1", "02:00:00:00:00:01", False),  # the next hop, as it was told
        ("198.18.0.77", "02:00:00:00:00:77", False),  # no next hop
    ],
)
def test_of_neighbours_only_a_next_hop_that_became_another_is_news(
    address: str, mac: str, heard: object
) -> None:
    body = neighbour(address, mac)
    message = HEADER.pack(HEADER.size + len(body), NEWNEIGH, 0, 0, 0) + body
    changes = Changes()
    changes.hops = {(3, "198.18.0.1"): "02:00:00:00:00:01"}

    assert changes._matters(message) is heard
    changes.close()


def test_a_quiet_kernel_has_nothing_to_tell_and_a_closed_socket_stays_closed() -> None:
    changes = Changes()
    while select.select([changes], [], [], 0)[0]:
        changes.drain()
    assert changes.drain() is False
    changes.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        changes.drain()
