import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.cli.once import document, look, summary
from agent.clock import host_clock
from agent.sources.port import Observation, Reading, Unreadable

CHECKOUT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "agent", "once")


def once(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words], check=False, capture_output=True, text=True, timeout=60, cwd=CHECKOUT
    )


def told(run: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def bodies(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one["body"] for one in document["reports"]}


def ip(*words: str) -> list[dict[str, Any]]:
    run = subprocess.run(["ip", "-j", *words], check=True, capture_output=True)
    found: list[dict[str, Any]] = json.loads(run.stdout or b"[]")
    return found


def test_one_document_agrees_with_ip_at_the_same_time() -> None:
    document = told(once("--json"))
    exits = bodies(document)["exits"]

    assert set(document) == {"reports", "unreadable"}
    assert set(document["reports"][0]) == {"kind", "source", "observed_at", "body"}
    links = {(one["ifname"], one["operstate"].lower()) for one in ip("link")}
    assert {(one["name"], one["state"]) for one in exits["links"]} == links
    addresses = {(row["local"], row["prefixlen"]) for one in ip("addr") for row in one["addr_info"]}
    assert {
        (row["address"], row["prefix"]) for one in exits["links"] for row in one["addresses"]
    } == addresses
    defaults = [*ip("-4", "route", "show", "default"), *ip("-6", "route", "show", "default")]
    assert sorted((row["gateway"], row["interface"]) for row in exits["routes"] if row["default"]) == sorted(
        (one["gateway"], one["dev"]) for one in defaults
    )
    rules = [*ip("-4", "rule"), *ip("-6", "rule")]
    assert sorted(one["priority"] for one in exits["rules"]) == sorted(one["priority"] for one in rules)


def test_every_listening_port_of_ss_is_told() -> None:
    listening = bodies(told(once("--json")))["asset"]["listening_services"]
    lines = subprocess.run(["ss", "-tlnH"], check=True, capture_output=True, text=True).stdout.splitlines()
    ports = {int(line.split()[3].rsplit(":", 1)[1]) for line in lines}

    # Other tests open and close ports meanwhile: what stands still must be there.
    again = subprocess.run(["ss", "-tlnH"], check=True, capture_output=True, text=True).stdout.splitlines()
    ports &= {int(line.split()[3].rsplit(":", 1)[1]) for line in again}
    assert {port for port in ports if port < 32768} <= {one["port"] for one in listening}


NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def interpreter_of_everyone() -> str:
    """An interpreter of our version that another user may run; a home folder's may be closed to others."""
    wanted = f"Python {sys.version_info.major}.{sys.version_info.minor}."
    for python in (sys.executable, "/usr/bin/python3"):
        run = subprocess.run([*NOBODY, python, "--version"], check=False, capture_output=True, text=True)
        if run.returncode == 0 and run.stdout.startswith(wanted):
            return python
    pytest.skip(f"no {wanted}x that an ordinary user may run")


@pytest.mark.root
def test_an_ordinary_user_gets_the_same_exits_and_is_told_what_may_not_be_read() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to become another user")
    places = os.pathsep.join([str(CHECKOUT), *(path for path in sys.path if path.endswith("site-packages"))])
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        run = subprocess.run(
            [*NOBODY, interpreter_of_everyone(), "-P", "-m", "agent", "once", "--json"],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env={"PYTHONPATH": places, "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        )
        theirs, ours = told(run), told(once("--json"))

    for part in ("links", "routes", "rules"):
        assert bodies(theirs)["exits"][part] == bodies(ours)["exits"][part]
    services = {one["port"]: one["process"] for one in bodies(theirs)["asset"]["listening_services"]}
    assert services[port] is None
    assert any(
        one["source"] == "asset" and "readable for root only" in one["why"] for one in theirs["unreadable"]
    )


def test_the_summary_speaks_both_languages() -> None:
    zh, en = once("--lang", "zh"), once("--lang", "en")

    assert (zh.returncode, en.returncode) == (0, 0)
    assert "网卡 lo：回环" in zh.stdout
    assert "link lo: loopback" in en.stdout


def test_a_web_root_without_accepted_content_is_named(tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    settings = f"state_dir: {tmp_path}/state\nsources:\n  files:\n    roots:\n      - path: {tmp_path}/www\n"
    (tmp_path / "agent.yaml").write_text(settings)
    document = told(once("--json", "--config", str(tmp_path / "agent.yaml")))

    assert {one["source"]: one["what"] for one in document["unreadable"]}["files"] == f"{tmp_path}/www"


def test_settings_with_mistakes_are_refused_with_every_one(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text("sources:\n  exits:\n    pol: 3\n  files: nothing\n")
    run = once("--json", "--config", str(tmp_path / "agent.yaml"))

    assert (run.returncode, run.stdout) == (1, "")
    assert "agent.yaml:3:5: sources.exits.pol: found an unknown field" in run.stderr
    assert "agent.yaml:4:10: sources.files" in run.stderr


def test_scapy_and_pyroute2_are_never_loaded() -> None:
    code = (
        "import sys; from agent.cli import main; main(['once', '--json']); "
        "sys.exit(any(name.split('.')[0] in {'scapy', 'pyroute2', 'aiohttp'} for name in sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, cwd=CHECKOUT)

    assert run.returncode == 0, run.stderr


async def test_a_source_that_fails_is_named_and_stops_no_other() -> None:
    class Broken:
        name = "broken"

        async def once(self, now: datetime) -> Reading:
            raise KeyError(now.year)

        async def watch(self, *_: object) -> None: ...

    class Whole:
        name = "whole"

        async def once(self, now: datetime) -> Reading:
            return Reading((Observation("gap", "whole", now, {}),))

        async def watch(self, *_: object) -> None: ...

    reports, unreadable = await look([Broken(), Whole()], host_clock().now)

    assert [one.source for one in reports] == ["whole"]
    assert unreadable == [Unreadable("broken", "source", "KeyError: " + str(host_clock().now().year))]


def test_why_something_is_not_known_is_told_in_the_readers_language() -> None:
    why = "another user's processes are readable for root only (CAP_SYS_PTRACE)"
    blind = Unreadable("sockets", "process of 3 connections", why)
    seen = Unreadable("files", "/srv/no such file", "[Errno 13] Permission denied: '/srv/no such file'")
    gap = Observation("gap", "exits", host_clock().now(), {"why": "no answer", "from": "1", "to": "2"})

    zh = summary([gap], [blind, seen], "zh")

    assert zh == [
        "缺口 没有应答（1 至 2）",
        "未能读取 [sockets] 3 个连接所属的进程：其他用户的进程只有 root 可以读取（CAP_SYS_PTRACE）",
        "未能读取 [files] /srv/no such file：权限不足：'/srv/no such file'",
    ]
    assert why in summary([], [blind], "en")[0]
    assert why in document([], [blind])


def test_an_incident_is_a_line_of_the_summary_and_json_keeps_its_fields() -> None:
    body = {
        "class": "NACRED",
        "key": "logins:source:203.0.113.9",
        "count": 12,
        "first_seen": "2026-03-02T01:10:00Z",
        "last_seen": "2026-03-02T01:12:00Z",
    }
    report = Observation("incident", "logins", datetime(2026, 3, 2, 1, 12, tzinfo=UTC), body)

    (line,) = summary([report], [], "en")
    assert line.startswith("incident NACRED logins:source:203.0.113.9: 12")
    found = json.loads(document([report], [], read=3))
    assert found["reports"][0]["observed_at"] == "2026-03-02T01:12:00Z"
    assert found["read"] == 3
