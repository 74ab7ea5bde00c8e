from __future__ import annotations

from typing import TYPE_CHECKING

from agent.sources.programs.miners import miners
from agent.sources.programs.proctable import Table
from agent.sources.ranges import Ranges

if TYPE_CHECKING:
    from tests.agent.sources.conftest import ProcTree


def found(tree: ProcTree, shares: dict[int, float]) -> list[tuple[str, tuple[str, ...]]]:
    found = miners(Table(tree.proc), shares, 0.5, Ranges().outside)
    return [(one.process.base, one.signs) for one in found]


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


def test_a_busy_server_that_asks_a_service_inside_at_a_pools_port_is_none(tree: ProcTree) -> None:
    """A scheduler whose workers listen at 9999; a browser's tests at 4444."""
    tree.connection(7, remote="10.1.1.7", remote_port=9999)
    tree.connection(8, remote="192.168.9.9", remote_port=4444)
    busy = tree.process("/usr/bin/java", arguments="java -jar xxl-job-admin.jar", sockets=(7,))
    tests = tree.process("/usr/bin/logminer", sockets=(8,))

    assert found(tree, {busy: 3.2, tests: 0.9}) == []


def test_a_pool_inside_is_a_sign_of_what_is_odd_already(tree: ProcTree) -> None:
    tree.connection(7, remote="10.1.1.7", remote_port=3333)
    named = tree.process("/usr/bin/xmrig", sockets=(7,))
    hidden = tree.process("/dev/shm/java", sockets=(7,))

    assert set(found(tree, {named: 0.0, hidden: 0.9})) == {
        ("xmrig", ("name", "pool")),
        ("java", ("busy", "pool")),
    }
