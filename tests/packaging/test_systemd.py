"""The shipped units under a real systemd: they start, hardened, say goodbye, and come back after a kill."""

import re
import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.packaging.conftest import AGENT, COLLECTOR, DEPUTY, DROP_INS, ROOT, SETTINGS, Host

CAP_DAC_READ_SEARCH, CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_PTRACE = 2, 12, 13, 19
KNOCKS = """
import socket
for port in range(2000, 2040):
    with socket.socket() as door:
        door.connect_ex(("203.0.113.1", port))
"""
MASQUERADE = (
    "add table ip guests; add chain ip guests out { type nat hook postrouting priority 100; };"
    "add rule ip guests out ip saddr 192.0.2.0/24 masquerade"
)
UNITS = ROOT / "packaging" / "systemd"
FORBIDDEN = ("not permitted", "denied", "adjtimex")
UNHEARD = {"address translation", "connections that begin", "changes of nftables"}
pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.xdist_group("systemd")]


def capabilities(status: dict[str, str]) -> set[int]:
    bits = int(status["CapEff"], 16)
    return {number for number in range(64) if bits >> number & 1}


def test_the_services_live_as_the_manual_says(node: Host) -> None:
    """One story, because each step leaves the host as the next one needs it."""
    they_run_without_privileges_and_sealed(node)
    the_agent_sees_what_its_unit_should_allow(node)
    a_killed_agent_is_started_again_and_a_stopped_one_says_goodbye(node)
    collector_and_helper_end_cleanly_when_they_are_stopped(node)


def they_run_without_privileges_and_sealed(node: Host) -> None:
    agent, collector, deputy = (node.status(unit) for unit in (AGENT, COLLECTOR, DEPUTY))

    assert "0" not in agent["Uid"].split()
    assert "0" not in collector["Uid"].split()
    assert capabilities(agent) == {CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE}
    assert capabilities(collector) == set()
    for status in (agent, collector, deputy):
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"
    state = node.path("/var/lib/fengsui/agent").stat()
    assert (state.st_mode & 0o777, state.st_uid) == (0o700, int(agent["Uid"].split()[0]))


def the_agent_sees_what_its_unit_should_allow(node: Host) -> None:
    """A call or a file that the unit forbids would be told as a gap, a source that dies of it in the log."""
    said = node.said(AGENT)

    gaps = [gap["why"] for gap in node.told("gap")]
    refused = [why for why in gaps if any(word in why for word in FORBIDDEN)]
    assert [why for why in refused if not why.endswith("needs CAP_NET_ADMIN")] == []
    assert {name for name in UNHEARD for why in refused if why.startswith(name)} == UNHEARD
    assert "failed (" not in said
    assert node.show(AGENT, "NRestarts") == "0"


def a_killed_agent_is_started_again_and_a_stopped_one_says_goodbye(node: Host) -> None:
    before = len(node.told("heartbeat"))
    node.does("systemctl", "kill", "--signal=KILL", AGENT)
    node.until("it is started again", lambda: node.show(AGENT, "NRestarts") == "1")
    node.until("it is heard again", lambda: len(node.told("heartbeat")) > before)

    node.does("systemctl", "stop", AGENT)
    assert (node.show(AGENT, "Result"), node.show(AGENT, "ExecMainStatus")) == ("success", "0")
    assert node.told("heartbeat")[-1]["stopping"] is True


def collector_and_helper_end_cleanly_when_they_are_stopped(node: Host) -> None:
    node.does("systemctl", "stop", COLLECTOR, DEPUTY)

    for unit in (COLLECTOR, DEPUTY):
        assert (node.show(unit, "Result"), node.show(unit, "ExecMainStatus")) == ("success", "0")
    assert not node.path("/run/fengsui-agent/deputy.sock").exists()


@pytest.fixture
def stranger(node: Host) -> Iterator[Callable[[], object]]:
    """A neighbour that knocks at forty closed doors of the node when called."""
    for words in (
        "netns add stranger",
        "link add wire type veth peer name far netns stranger",
        "addr add 203.0.113.1/24 dev wire",
        "link set wire up",
    ):
        node.does("ip", *words.split())
    for words in ("addr add 203.0.113.9/24 dev far", "link set far up"):
        node.does("ip", "-netns", "stranger", *words.split())
    yield lambda: node.does("ip", "netns", "exec", "stranger", "/opt/python/bin/python3", "-c", KNOCKS)
    node.does("ip", "netns", "del", "stranger")


def test_with_its_drop_in_the_agent_hears_what_the_kernel_tells_of_the_network(node: Host) -> None:
    node.does("install", "-D", "-t", DROP_INS, f"/etc/fengsui/{AGENT}.d/network.conf")
    node.does("systemctl", "daemon-reload")
    node.does("systemctl", "stop", AGENT)
    node.forget()
    node.does("systemctl", "start", AGENT)
    node.until("it looked at its ways out", lambda: node.told("exits") and node.told("sockets"))
    try:
        node.does("nft", MASQUERADE)
        node.until(
            "whom it lets out is told",
            lambda: any(one["forwarding"]["translations"] for one in node.told("exits")),
        )
    finally:
        node.does("nft", "delete table ip guests")

    assert [gap["why"] for gap in node.told("gap") if "CAP_NET_ADMIN" in gap["why"]] == []
    assert capabilities(node.status(AGENT)) == {CAP_DAC_READ_SEARCH, CAP_NET_ADMIN, CAP_SYS_PTRACE}


def test_with_its_drop_in_the_agent_sees_packets_and_has_no_other_power(
    node: Host, stranger: Callable[[], object]
) -> None:
    with node.path(SETTINGS).open("a") as file:
        file.write("sources: {packets: {enabled: true}}\n")
    node.does("systemctl", "restart", AGENT)
    node.until(
        "without it the agent says why it sees none",
        lambda: any("needs CAP_NET_RAW" in gap["why"] for gap in node.told("gap")),
    )

    node.does("install", "-D", "-t", DROP_INS, f"/etc/fengsui/{AGENT}.d/packets.conf")
    node.does("systemctl", "daemon-reload")
    node.does("systemctl", "restart", AGENT)

    def is_told() -> bool:
        stranger()
        return any(one["key"] == "scan:203.0.113.9" for one in node.told("incident"))

    node.until("the stranger is told", is_told)
    assert capabilities(node.status(AGENT)) == {CAP_DAC_READ_SEARCH, CAP_NET_RAW, CAP_SYS_PTRACE}


@pytest.mark.parametrize("unit", [AGENT, COLLECTOR, DEPUTY])
def test_the_running_units_are_as_closed_as_the_files(host: Host, unit: str) -> None:
    """The score of what is loaded, not of the file: `test_units.py` compares that with the manual."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    told = host.does("systemd-analyze", "security", "--no-pager", unit)
    score = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)

    assert score
    assert float(score[1]) <= 3.3


def test_systemd_has_nothing_to_say_against_any_of_the_files(enrolled: Host) -> None:
    """An unknown setting or a value it can't read is told on stderr, and ends with 0."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    units = sorted(path.name for path in UNITS.glob("*.*") if path.suffix in {".service", ".timer"})
    told = enrolled.run("systemd-analyze", "verify", *(f"/etc/systemd/system/{unit}" for unit in units))

    assert len(units) == 5
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
