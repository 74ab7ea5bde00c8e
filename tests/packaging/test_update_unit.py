"""The update's unit under a real systemd: from a signed mirror into the other slot, and back."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.agent.release.conftest import bundle
from tests.certificates import self_signed
from tests.packaging.bundles import bundle_of_the_next
from tests.packaging.conftest import AGENT, COLLECTOR_BIN, DEPUTY, DROP_INS, SETTINGS, Host

UPDATE, TIMER = "fengsui-agent-update.service", "fengsui-agent-update.timer"
GOOD, BAD = "0.2.0", "0.3.0"
SERVER = """
import functools, http.server, ssl
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="/srv/mirror")
server = http.server.HTTPServer(("127.0.0.1", 8444), handler)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain("/etc/fengsui/mirror.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""
FINDINGS = """
import sqlite3
state = sqlite3.connect("/var/lib/fengsui/collector/state.db")
print(state.execute("SELECT findings FROM nodes").fetchone()[0])
"""
# Lets a release that dies at once be started as often in two seconds as RestartSec= of the unit does in ten.
HASTY = "[Service]\nRestartSec=100ms\n"
pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.xdist_group("systemd")]


@pytest.fixture
def mirror(node: Host, tmp_path: Path) -> Iterator[str]:
    """The address of a mirror with the next release, made as an operator does; /srv/mirror is its folder."""
    for made in (bundle_of_the_next(GOOD, tmp_path), bundle(tmp_path, BAD)):
        shutil.move(made, node.path("/srv"))
    releases(node, "init", "/srv/mirror", "--keys", "/root/keys")
    releases(node, "add", "/srv/mirror", f"/srv/{GOOD}.tar", "--keys", "/root/keys")
    node.does("cp", "/srv/mirror/metadata/1.root.json", "/etc/fengsui/update-root.json")
    self_signed(node.path("/etc/fengsui/mirror.pem"))
    node.does("systemd-run", "--unit=mirror", "/opt/python/bin/python3", "-c", SERVER)
    yield "https://127.0.0.1:8444"
    node.does("systemctl", "stop", "mirror")


def releases(node: Host, *words: str) -> None:
    node.does(f"{COLLECTOR_BIN}/fengsui-collector", "releases", *words)


def let_it_update(node: Host, **its: object) -> None:
    """Set the node's `update`."""
    path = node.path(SETTINGS)
    others = path.read_text().partition("update:")[0]
    path.write_text(f"{others}update: {json.dumps(its)}\n")


def links(node: Host) -> set[str]:
    return {str(node.path(f"/opt/fengsui/{name}").readlink()) for name in ("current", "good")}


def run_from(node: Host, slot: str) -> bool:
    """Whether agent and deputy run, both by a slot's interpreter."""
    programs = [f"/proc/{node.show(unit, 'MainPID')}/exe" for unit in (AGENT, DEPUTY)]
    return node.run("readlink", *programs).stdout.split() == 2 * [f"/opt/fengsui/{slot}/bin/python"]


def noted(node: Host) -> list[dict[str, Any]]:
    """What the collector has noted at its one node."""
    return json.loads(node.does(f"{COLLECTOR_BIN}/python", "-c", FINDINGS, user="fengsui"))  # type: ignore[no-any-return]


@pytest.mark.timeout(300)
def test_a_node_takes_the_next_release_and_goes_back_from_a_bad_one(node: Host, mirror: str) -> None:
    """One story: what goes back to a release has to have taken it."""
    the_next_release_runs_from_the_other_slot_and_is_kept(node)
    one_that_dies_at_once_is_taken_back_and_the_collector_told(node, mirror)
    it_is_not_tried_again(node)


def the_next_release_runs_from_the_other_slot_and_is_kept(node: Host) -> None:
    let_it_update(node, mirror="/srv/mirror", trial_seconds=60)
    node.does("systemctl", "start", UPDATE)

    assert links(node) == {"b"}
    assert run_from(node, "b")
    node.until("the collector hears it", lambda: node.told("heartbeat")[-1]["version"] == GOOD)
    assert noted(node) == []


def one_that_dies_at_once_is_taken_back_and_the_collector_told(node: Host, mirror: str) -> None:
    releases(node, "add", "/srv/mirror", f"/srv/{BAD}.tar", "--keys", "/root/keys")
    node.path(DROP_INS).mkdir()
    (node.path(DROP_INS) / "hasty.conf").write_text(HASTY)
    node.does("systemctl", "daemon-reload")
    let_it_update(node, mirror=mirror, authority="/etc/fengsui/mirror.pem", trial_seconds=2)
    assert node.run("systemctl", "start", UPDATE).returncode == 1

    assert f"{BAD} was taken back, {GOOD} runs" in node.journal()
    assert links(node) == {"b"}
    node.until("both run again", lambda: run_from(node, "b"))
    node.until("the collector has noted it", lambda: noted(node))
    assert [(one["kind"], one["version"], one["before"]) for one in noted(node)] == [
        ("update_rolled_back", BAD, GOOD)
    ]


def it_is_not_tried_again(node: Host) -> None:
    before = node.show(AGENT, "MainPID")
    node.does("systemctl", "start", UPDATE)

    assert f"nothing newer: {GOOD} runs" in node.journal()
    assert (links(node), node.show(AGENT, "MainPID")) == ({"b"}, before)


def test_the_timer_waits_for_the_night(enrolled: Host) -> None:
    enrolled.does("systemctl", "start", TIMER)

    assert enrolled.show(TIMER, "SubState") == "waiting"
    assert re.match(r"\w+ [-\d]+ 0[2-4]:", enrolled.show(TIMER, "NextElapseUSecRealtime"))
    enrolled.does("systemctl", "stop", TIMER)
