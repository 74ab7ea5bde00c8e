"""The shipped units under a real systemd: they start, hardened, say goodbye, and come back after a kill."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("systemd_root.py")
SYSTEMD = Path("/lib/systemd/systemd")
GROUPS = Path("/sys/fs/cgroup")
NAMESPACES = ("--mount", "--pid", "--uts", "--ipc", "--cgroup", "--net")
BIN = "/opt/fengsui/bin"
AGENT, COLLECTOR, DEPUTY = (f"fengsui-{name}.service" for name in ("agent", "collector", "agent-deputy"))
CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE = 2, 19
NOT_HERE = 77
REPORTS = """
import sqlite3
from wire import codec, messages
batches = codec.Codec(messages.Batch)
encodings = {b"{": codec.IDENTITY, b"(": codec.ZSTD, codec.GZIP_MAGIC[:1]: codec.GZIP}
log = sqlite3.connect("/var/lib/fengsui/collector/events.db")
for (body,) in log.execute("SELECT stored FROM batch ORDER BY position"):
    for report in batches.decode(codec.unpack(body, encodings[body[:1]])).reports:
        print(f'{{"kind": "{report.kind}", "body": {bytes(report.body).decode()}}}')
"""
FORBIDDEN = ("not permitted", "denied", "adjtimex")
KINDS = {"heartbeat", "asset", "exits", "sockets"}
pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.xdist_group("systemd")]


class Host:
    """A host made of namespaces, on which systemd is the first process."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self.log = log

    def run(self, *words: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        """Run a command on the host."""
        enter = ("nsenter", f"--target={self.pid}", *NAMESPACES, "--root", "env", "--chdir=/")
        become = () if user == "root" else ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups")
        return subprocess.run(
            [*enter, *become, *words], check=False, capture_output=True, text=True, timeout=60
        )

    def does(self, *words: str, user: str = "root") -> str:
        """Run a command that has to succeed; return what it says."""
        done = self.run(*words, user=user)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}{self.journal()}"
        return done.stdout

    def show(self, unit: str, name: str) -> str:
        return self.does("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def journal(self) -> str:
        return self.run("journalctl", "--no-pager", "--lines=60", "--unit=fengsui*").stdout

    def until(self, what: str, holds: Callable[[], object]) -> None:
        """Wait for what another process brings about."""
        end = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < end, f"{what}: {self.journal()}"
            time.sleep(0.05)

    def path(self, path: str) -> Path:
        return Path(f"/proc/{self.pid}/root{path}")

    def status(self, unit: str) -> dict[str, str]:
        """`/proc/PID/status` of a unit's main process."""
        main = self.show(unit, "MainPID")
        lines = self.does("cat", f"/proc/{main}/status").splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def told(self, kind: str) -> list[Any]:
        """The bodies of one kind that the collector's event log has of the agent."""
        said = self.run(f"{BIN}/python", "-c", REPORTS, user="fengsui").stdout
        reports = [json.loads(line) for line in said.splitlines()]
        return [report["body"] for report in reports if report["kind"] == kind]


def own_group() -> Path:
    """Make a control group for all that runs here; the unified hierarchy may be a part of an older layout."""
    top = next(place for place in (GROUPS, GROUPS / "unified") if (place / "cgroup.procs").exists())
    group = top / f"fengsui-test-{os.getpid()}"
    group.mkdir()
    return group


def dissolve(group: Path) -> None:
    """Remove a control group; its processes are gone, or just going."""
    for _ in range(200):
        try:
            for folder in sorted(group.rglob("*/"), key=lambda path: -len(path.parts)):
                if folder.is_dir():
                    folder.rmdir()
            group.rmdir()
        except OSError:
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    if os.geteuid() != 0 or not SYSTEMD.exists():
        pytest.skip("needs root and systemd")
    scratch = tmp_path_factory.mktemp("systemd")
    log = scratch.with_suffix(".log")
    site = sysconfig.get_paths()["purelib"]
    group = own_group()
    join = lambda: (group / "cgroup.procs").write_text(str(os.getpid()))  # noqa: E731 - runs in the child
    words = ("unshare", *NAMESPACES, "--fork", "--kill-child", "--", sys.executable, str(SCRIPT))
    with log.open("wb") as said:
        unshare = subprocess.Popen(
            [*words, str(ROOT), site, sys.base_prefix, str(scratch)],
            stdout=said,
            stderr=said,
            preexec_fn=join,  # noqa: PLW1509 - the control group has to be joined before its namespace begins
        )
    try:
        made = Host(first_child(unshare.pid), log)
        if not booted(made, unshare):
            if unshare.returncode in {1, NOT_HERE}:
                pytest.skip(f"no namespaces, overlays or control groups here: {log.read_text()[-300:]}")
            pytest.fail(f"systemd did not start: {log.read_text()}")
        yield made
    finally:
        unshare.kill()
        unshare.wait()
        dissolve(group)


def first_child(pid: int) -> int:
    for _ in range(200):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.05)
    pytest.skip("no namespaces here")


def booted(host: Host, unshare: "subprocess.Popen[bytes]") -> bool:
    end = time.monotonic() + 40
    while time.monotonic() < end and unshare.poll() is None:
        if host.run("systemctl", "is-active", "fengsui-test.target").stdout.strip() == "active":
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def node(host: Host) -> Host:
    """The host with the collector and an agent enrolled at it, all three services running."""
    host.does("systemctl", "start", COLLECTOR)
    ports = "/var/lib/fengsui/collector/ports.json"
    host.until("the collector listens", host.path(ports).exists)
    command = (f"{BIN}/fengsui-collector", "token", "create", "--unit", "district", "--json")
    told = host.does(*command, "--config", "/etc/fengsui/collector.yaml", user="fengsui")
    words = ("enrol", "--config", "/etc/fengsui/agent.yaml", "--token", json.loads(told)["token"])
    owner = ("--owner=fengsui-agent", "--group=fengsui-agent", "--mode=0700")
    host.does("install", "--directory", *owner, "/var/lib/fengsui/agent")
    host.does(f"{BIN}/fengsui-agent", *words, user="fengsui-agent")
    host.does("systemctl", "start", DEPUTY, AGENT)
    host.until(
        "it tells all it sees at its start", lambda: {kind for kind in KINDS if host.told(kind)} >= KINDS
    )
    return host


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
    said = node.does("journalctl", "--no-pager", "--unit", AGENT)

    gaps = [gap["why"] for gap in node.told("gap")]
    assert [why for why in gaps if any(word in why for word in FORBIDDEN)] == []
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


@pytest.mark.parametrize("unit", [AGENT, COLLECTOR, DEPUTY])
def test_the_running_units_are_as_closed_as_the_files(host: Host, unit: str) -> None:
    """The score of what is loaded, not of the file: `test_units.py` compares that with the manual."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    told = host.does("systemd-analyze", "security", "--no-pager", unit)
    score = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)

    assert score
    assert float(score[1]) <= 3.3
