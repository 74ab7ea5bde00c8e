"""What is never blocked: found out at the moment, and told when it can't be."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from agent.powers.firewall import Kept
from agent.powers.never import never_of
from agent.powers.port import ForbiddenError

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://collector.example:8443"


def resolve(_: str) -> list[str]:
    return ["192.0.2.10", "2001:db8::10"]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("192.0.2.10", "the collector"),
        ("192.0.2.0/24", "the collector"),
        ("0.0.0.0/0", "loopback|the collector"),
        ("2001:db8::/32", "the collector"),
        ("198.51.100.53", "the resolver"),
        ("10.8.0.7", "the management range"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("224.0.0.251", "loopback or multicast"),
    ],
)
def test_what_a_node_needs_is_never_blocked(tmp_path: Path, address: str, why: str) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/resolv.conf").write_text("# none\nnameserver 198.51.100.53\nnameserver fe80::1%eth0\n")

    never = never_of([URL], ["10.8.0.0/24"], tmp_path, resolve)

    with pytest.raises(ForbiddenError, match=why):
        never.check(ip_network(address))


def test_a_strangers_address_may_be_blocked(tmp_path: Path) -> None:
    never_of([URL], [], tmp_path, resolve).check(ip_network("203.0.113.9"))


def test_a_collector_that_does_not_resolve_forbids_every_block(tmp_path: Path) -> None:
    def fails(_: str) -> list[str]:
        raise OSError("no name service")

    with pytest.raises(ForbiddenError, match="can't be resolved"):
        never_of([URL], [], tmp_path, fails)


def test_resolvers_stay_reachable_in_isolation_only_where_a_collector_has_a_name(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/resolv.conf").write_text("nameserver 198.51.100.53\n")
    resolver = Kept(ip_network("198.51.100.53"), 53)

    named = never_of([URL], ["10.8.0.0/24"], tmp_path, resolve).guard
    bare = never_of(["https://192.0.2.10:8443"], [], tmp_path, resolve).guard

    assert Kept(ip_network("192.0.2.10"), 8443) in named.kept
    assert Kept(ip_network("10.8.0.0/24")) in named.kept
    assert (resolver in named.kept, resolver in bare.kept) == (True, False)
