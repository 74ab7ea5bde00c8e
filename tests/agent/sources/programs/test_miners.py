from __future__ import annotations

from typing import TYPE_CHECKING

from agent.sources.programs.miners import miners
from agent.sources.programs.proctable import Table

if TYPE_CHECKING:
    from tests.agent.sources.conftest import ProcTree


def found(tree: ProcTree, shares: dict[int, float]) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.process.base, one.signs) for one in miners(Table(tree.proc), shares, 0.5)]


def test_a_miner_by_its_name_that_works_is_one(tree: ProcTree) -> None:
    pid = tree.process("/opt/xmrig/xmrig", arguments="xmrig --config=config.json")

    assert found(tree, {pid: 0.98}) == [("xmrig", ("busy", "name"))]
    assert found(tree, {pid: 0.0}) == []


def test_a_miner_by_another_name_is_told_by_its_pool(tree: ProcTree) -> None:
    tree.connection(7, remote_port=14444)
    pid = tree.process("/var/tmp/systemd-logind", sockets=(7,))

    assert found(tree, {pid: 3.9}) == [("systemd-logind", ("busy", "pool"))]


def test_a_pools_address_among_the_arguments_is_enough(tree: ProcTree) -> None:
    pid = tree.process("/tmp/k", arguments="k -o stratum+tcp://pool.example:443 -u wallet")

    assert found(tree, {pid: 0.6}) == [("k", ("busy", "arguments"))]


def test_a_busy_server_and_a_client_of_an_odd_port_are_none(tree: ProcTree) -> None:
    tree.connection(7, remote_port=14444)
    tree.connection(8, remote_port=5432)
    tree.connection(9, remote="127.0.0.1", remote_port=3333)
    busy = tree.process("/usr/bin/java", arguments="java -jar portal.jar", sockets=(8, 9))
    idle = tree.process("/usr/bin/curl", sockets=(7,))

    assert found(tree, {busy: 3.2, idle: 0.01}) == []
