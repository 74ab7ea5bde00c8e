import select
import socket
import subprocess
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from agent.netlink.events import Events

OwnNetwork = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]
LINKS = (1,)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def test_a_family_this_kernel_lacks_is_an_error_and_leaves_nothing_open() -> None:
    with pytest.raises(OSError, match="not supported"):
        Events(31, LINKS)


@pytest.mark.root
def test_what_the_kernel_says_is_read_in_bounded_pieces(own_network: OwnNetwork) -> None:
    async def scene() -> None:
        events = Events(socket.NETLINK_ROUTE, LINKS)
        for number in range(3):
            ip("link", "add", f"a{number}", "type", "veth", "peer", "name", f"b{number}")

        assert select.select([events], [], [], 5)[0]
        assert len(events.drain(2)) == 2
        assert len(events.drain()) >= 4
        assert (events.drain(), events.overflows) == ([], 0)
        events.close()

    own_network(scene)


@pytest.mark.root
def test_what_another_process_sends_to_the_group_is_not_believed(own_network: OwnNetwork) -> None:
    async def scene() -> None:
        events = Events(socket.NETLINK_ROUTE, LINKS)
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as stranger:
            stranger.sendto(b"forged", (0, 1))
        assert events.drain() == []
        events.close()

    own_network(scene)
