import io
import json
import os
import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cli.replay import replay
from agent.sources.bursts import BurstSettings

CHECKOUT = Path(__file__).parents[3]
GOLDEN = CHECKOUT / "tests/golden"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agent", "replay", *words]
    env = {**os.environ, "TZ": "UTC"}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, cwd=CHECKOUT, env=env
    )


def told(*words: str) -> dict[str, Any]:
    found = run(*words, "--json")
    assert found.returncode == 0, found.stderr
    document: dict[str, Any] = json.loads(found.stdout)
    return document


def test_a_recorded_auth_log_tells_its_burst_its_success_and_its_end() -> None:
    document = told(str(GOLDEN / "auth.log"), "--as", "auth")

    assert (document["read"], document["unreadable"]) == (15, [])
    assert [one["line"] for one in document["refused"]] == [13, 14]
    assert document["refused"][0]["why"].startswith("no syslog line")
    bodies = [one["body"] for one in document["reports"]]
    assert [(body["count"], body["succeeded"], body["restored"]) for body in bodies] == [
        (10, False, False),
        (10, True, False),
        (10, True, True),
    ]
    assert {body["key"] for body in bodies} == {"logins:source:203.0.113.9"}
    assert document["reports"][0]["observed_at"] == "2026-03-02T01:10:13.250000Z"


def test_a_recorded_journal_is_read_by_the_same_code() -> None:
    document = told(str(GOLDEN / "journal.jsonl"), "--as", "journal")

    assert document["read"] == 6
    assert [one["line"] for one in document["refused"]] == [5, 7]
    assert document["reports"] == []


def test_the_settings_thresholds_hold_for_a_replay_too(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text("sources:\n  logins:\n    bursts:\n      by_source: 2\n")
    words = (str(GOLDEN / "journal.jsonl"), "--as", "journal", "--config", str(tmp_path / "agent.yaml"))

    assert told(*words)["reports"][0]["body"]["key"] == "logins:source:2001:db8::9"


def test_recorded_packets_are_read_by_the_code_that_counts_them_live(tmp_path: Path) -> None:
    """Thirty connections to as many ports that nobody answers, as classic pcap."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    ends = bytes([203, 0, 113, 9, 10, 1, 1, 5])
    data = [head]
    for port in range(30):
        packet = bytes([0x45, 0, 0, 40]) + bytes(5) + b"\x06" + bytes(2) + ends
        packet += struct.pack("!HH8xBBHHH", 40000, port, 0x50, 2, 0, 0, 0)
        data.append(struct.pack("<4I", 1772413800 + port // 10, 0, 40, 40) + packet)
    (tmp_path / "scan.pcap").write_bytes(b"".join(data) + b"cut")
    document = told(str(tmp_path / "scan.pcap"), "--as", "pcap")

    assert (document["read"], document["refused"][0]["line"]) == (30, 31)
    bodies = [one["body"] for one in document["reports"]]
    assert [(body["key"], body["count"], body["restored"]) for body in bodies] == [
        ("scan:203.0.113.9", 25, False),
        ("scan:203.0.113.9", 30, True),
    ]
    summary = run(str(tmp_path / "scan.pcap"), "--as", "pcap", "--lang", "en")
    assert "30 packets read, 1 refused" in summary.stderr


@pytest.mark.parametrize(
    ("form", "name", "read", "refused"),
    [("eve", "eve.json", 7, [5, 8]), ("zeek", "notice.log", 3, []), ("zeek", "conn.log", 90, [91])],
)
def test_a_sensors_log_is_read_by_the_code_that_follows_it_live(
    form: str, name: str, read: int, refused: list[int]
) -> None:
    document = told(str(GOLDEN / "sensors" / name), "--as", form)

    assert document["read"] == read
    assert [one["line"] for one in document["refused"]] == refused
    needed = {"class", "severity_hint", "source_address", "target_address", "count"}
    needed |= {"first_seen", "last_seen", "evidence", "key"}
    bodies = [one["body"] for one in document["reports"] if one["kind"] == "incident"]
    assert bodies
    assert all(needed <= body.keys() for body in bodies)
    assert {body["key"] for body in bodies if body["restored"]} == {body["key"] for body in bodies}


def test_a_file_that_is_not_there_is_a_failure() -> None:
    found = run("/nowhere", "--as", "auth", "--json")

    assert (found.returncode, found.stdout) == (1, "")
    assert "/nowhere" in found.stderr


def test_the_summary_names_refused_lines_by_file_and_line() -> None:
    found = run(str(GOLDEN / "auth.log"), "--as", "auth", "--lang", "en")

    assert found.returncode == 0
    assert "incident NACRED logins:source:203.0.113.9" in found.stdout
    assert "15 lines read, 2 refused" in found.stderr
    assert "auth.log:13: no syslog line" in found.stderr


def test_a_file_of_one_endless_line_is_one_refused_line() -> None:
    result = replay(io.BytesIO(b"x" * 3_000_000 + b"\n"), "auth", BurstSettings(), NOW)

    assert (result.read, result.refused_total) == (0, 1)
    assert "at most 8192" in result.refused[0]["why"]


@given(st.binary(max_size=2000), st.sampled_from(["auth", "journal"]))
def test_any_file_is_read_and_every_line_is_either_read_or_refused(data: bytes, form: str) -> None:
    result = replay(io.BytesIO(data), form, BurstSettings(), NOW)

    assert result.read + result.refused_total == sum(bool(line.strip(b"\r")) for line in data.split(b"\n"))
