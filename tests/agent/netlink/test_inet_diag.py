import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.netlink.inet_diag import (
    ESTABLISHED,
    LISTEN,
    Socket,
    decode_socket,
    request,
    sockets,
    states,
)
from agent.netlink.message import NetlinkError


def connected() -> tuple[socket.socket, socket.socket, socket.socket]:
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    return server, client, server.accept()[0]


def test_a_connection_is_seen_from_both_ends_with_its_inode_and_owner() -> None:
    server, client, accepted = connected()
    with server, client, accepted:
        seen = {one.local_port: one for one in sockets(states(ESTABLISHED))}
        mine = seen[client.getsockname()[1]]

        assert (mine.protocol, mine.remote_address) == ("tcp", "127.0.0.1")
        assert mine.remote_port == server.getsockname()[1]
        assert seen[mine.remote_port].remote_port == mine.local_port
        assert mine.inode > 0


def test_only_the_states_asked_for_are_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        assert port in {one.local_port for one in sockets(states(LISTEN))}
        assert port not in {one.local_port for one in sockets(states(ESTABLISHED))}


def test_an_ipv4_client_of_an_ipv6_server_is_seen_by_its_ipv4_address() -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            seen = [one for one in sockets(states(ESTABLISHED)) if one.local_port == port]

            assert [one.remote_address for one in seen] == ["127.0.0.1"]


def test_a_connected_udp_socket_counts_as_a_connection() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", 9))
        port = client.getsockname()[1]

        assert ("udp", port) in {(one.protocol, one.local_port) for one in sockets(states(ESTABLISHED))}


def test_an_unwanted_far_address_is_not_decoded_any_further() -> None:
    server, client, accepted = connected()
    with server, client, accepted:
        assert not list(sockets(states(ESTABLISHED), lambda address: address[0] != 127))


@given(st.binary(max_size=120))
def test_garbage_is_a_netlink_error_and_never_anything_else(data: bytes) -> None:
    try:
        found = decode_socket(data, "tcp")
    except NetlinkError:
        return
    assert isinstance(found, Socket)


def test_a_socket_that_is_cut_is_refused() -> None:
    with pytest.raises(NetlinkError, match="expected at least"):
        decode_socket(bytes(20), "tcp")


def test_a_request_asks_for_one_family_and_the_states_as_bits() -> None:
    assert request(socket.AF_INET, socket.IPPROTO_TCP, states(1, 10))[:8] == b"\x02\x06\0\0\x02\x04\0\0"
