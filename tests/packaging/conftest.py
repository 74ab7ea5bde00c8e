"""A host of namespaces for the units, on which systemd is the first process; booted once a session."""

import json
import os
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
PROGRAM = "/opt/fengsui/bin/fengsui-agent"
COLLECTOR_BIN = "/opt/fengsui-collector/bin"
AGENT, COLLECTOR, DEPUTY = (f"fengsui-{name}.service" for name in ("agent", "collector", "agent-deputy"))
SETTINGS = "/etc/fengsui/agent.yaml"
DROP_INS = f"/etc/systemd/system/{AGENT}.d"
NOT_HERE = 77
REPORTS = """
import sqlite3, sys
from wire import codec, messages
batches = codec.Codec(messages.Batch)
encodings = {b"{": codec.IDENTITY, b"(": codec.ZSTD, codec.GZIP_MAGIC[:1]: codec.GZIP}
log = sqlite3.connect("/var/lib/fengsui/collector/events.db")
rows = log.execute("SELECT position, stored FROM batch WHERE position > ? ORDER BY position", sys.argv[1:])
for position, body in rows:
    for report in batches.decode(codec.unpack(body, encodings[body[:1]])).reports:
        told = bytes(report.body).decode()
        print(f'{{"position": {position}, "kind": "{report.kind}", "body": {told}}}')
"""
KINDS = {"heartbeat", "asset", "exits", "sockets"}


class Host:
    """A host made of namespaces, on which systemd is the first process."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self.log = log
        self._since = 0

    def run(self, *words: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        """Run a command on the host."""
        enter = ("nsenter", f"--target={self.pid}", *NAMESPACES, "--root", "env", "--chdir=/")
        become = () if user == "root" else ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups")
        return subprocess.run(
            [*enter, *become, *words], check=False, capture_output=True, text=True, timeout=150
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

    def said(self, unit: str) -> str:
        """What a unit has said since it was started last."""
        this = f"_SYSTEMD_INVOCATION_ID={self.show(unit, 'InvocationID')}"
        return self.does("journalctl", "--no-pager", "--output=cat", this)

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
        """The bodies of one kind that the collector's event log has of the agent since `forget`."""
        return [report["body"] for report in self._reports() if report["kind"] == kind]

    def forget(self) -> None:
        """Let what the agent has told so far be no part of what `told` returns."""
        self._since = max((report["position"] for report in self._reports()), default=self._since)

    def _reports(self) -> list[dict[str, Any]]:
        command = (f"{COLLECTOR_BIN}/python", "-c", REPORTS, str(self._since))
        return [json.loads(line) for line in self.run(*command, user="fengsui").stdout.splitlines()]


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


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def enrolled(host: Host) -> Host:
    """The host with an agent enrolled at its collector, adopted as the first of its releases."""
    host.does("/opt/fengsui/a/bin/fengsui-agent", "update", "--adopt")
    start_collector(host)
    command = (f"{COLLECTOR_BIN}/fengsui-collector", "token", "create", "--unit", "district", "--json")
    told = host.does(*command, "--config", "/etc/fengsui/collector.yaml", user="fengsui")
    words = ("enrol", "--config", SETTINGS, "--token", json.loads(told)["token"])
    owner = ("--owner=fengsui-agent", "--group=fengsui-agent", "--mode=0700")
    host.does("install", "--directory", *owner, "/var/lib/fengsui/agent")
    host.does(PROGRAM, *words, user="fengsui-agent")
    return host


def start_collector(host: Host) -> None:
    if host.run("systemctl", "is-active", COLLECTOR).returncode == 0:
        return
    ports = host.path("/var/lib/fengsui/collector/ports.json")
    ports.unlink(missing_ok=True)
    host.does("systemctl", "start", COLLECTOR)
    host.until("the collector listens", ports.exists)


@pytest.fixture
def node(enrolled: Host) -> Iterator[Host]:
    """All three services running; afterwards none, the settings as they were, no drop-in of the agent."""
    settings = enrolled.path(SETTINGS).read_text()
    enrolled.forget()
    start_collector(enrolled)
    enrolled.does("systemctl", "start", DEPUTY, AGENT)
    enrolled.until("it tells all it sees at its start", lambda: all(map(enrolled.told, KINDS)))
    yield enrolled
    for unit in (AGENT, DEPUTY, COLLECTOR):  # the agent's last words need somebody who hears them
        enrolled.does("systemctl", "stop", unit)
    enrolled.path(SETTINGS).write_text(settings)
    enrolled.does("rm", "--recursive", "--force", DROP_INS)
    enrolled.does("systemctl", "daemon-reload")
