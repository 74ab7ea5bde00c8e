import io
import json
import os
import struct
import subprocess
import sys
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cli.replay import replay
from agent.sources.logs.bursts import BurstSettings
from tests.agent.capture.test_sieve import data_to
from tests.agent.detection.test_tls import greeting_of_a_library

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


def recorded(*greetings: tuple[str, bytes]) -> bytes:
    """A classic pcap of what clients sent to a server of TLS first."""
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    for number, (client, payload) in enumerate(greetings):
        head = bytes([0x45, 0, 0, 0]) + bytes(5) + b"\x06" + bytes(2)
        packet = head + ip_address(client).packed + bytes([203, 0, 113, 9]) + data_to(443, payload)
        data += struct.pack("<4I", 1772413800 + number, 0, len(packet), len(packet)) + packet
    return data


def test_real_greetings_in_a_recording_tell_webmail_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "greetings.pcap"
    webmail, site = greeting_of_a_library("set3.mail.qq.com"), greeting_of_a_library("www.qq.com")
    number = greeting_of_a_library("203.0.113.9")
    file.write_bytes(
        recorded(("10.1.1.5", webmail), ("10.1.1.5", webmail), ("10.1.1.6", site), ("10.1.1.6", number))
    )
    document = told(str(file), "--as", "pcap")

    assert (document["read"], document["reports"], document["webmail_unread"]) == (4, [], 0)
    assert document["webmail"] == [
        {
            "service": "qq",
            "name": "set3.mail.qq.com",
            "client": "10.1.1.5",
            "count": 2,
            "addresses": ["203.0.113.9"],
            "how": "tls",
        }
    ]


def test_a_greeting_that_goes_on_in_another_packet_is_counted_and_told_to_people(tmp_path: Path) -> None:
    file = tmp_path / "cut.pcap"
    whole = greeting_of_a_library("mail.163.com")
    file.write_bytes(recorded(("10.1.1.5", whole[:60]), ("10.1.1.7", whole)))
    (tmp_path / "off.yaml").write_text("sources: {packets: {webmail: {enabled: false}}}\n")

    said = run(str(file), "--as", "pcap", "--lang", "en").stdout
    assert "public webmail mail.163.com: 10.1.1.7, by tls 1 times, addresses 203.0.113.9" in said
    assert "1 TLS handshakes with a server name that could not be read" in said
    off = told(str(file), "--as", "pcap", "--config", str(tmp_path / "off.yaml"))
    assert (off["webmail"], off["webmail_unread"]) == ([], 0)


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


def test_a_refused_line_says_why_in_the_readers_language() -> None:
    found = run(str(GOLDEN / "auth.log"), "--as", "auth", "--lang", "zh")

    assert "auth.log:13: 不是 syslog 行：应有时间、主机和程序" in found.stderr
    assert "no syslog line" in json.dumps(told(str(GOLDEN / "auth.log"), "--as", "auth")["refused"])


def test_a_file_of_one_endless_line_is_one_refused_line() -> None:
    result = replay(io.BytesIO(b"x" * 3_000_000 + b"\n"), "auth", BurstSettings(), NOW)

    assert (result.read, result.refused_total) == (0, 1)
    assert "at most 8192" in result.refused[0]["why"]


@given(st.binary(max_size=2000), st.sampled_from(["auth", "journal"]))
def test_any_file_is_read_and_every_line_is_either_read_or_refused(data: bytes, form: str) -> None:
    result = replay(io.BytesIO(data), form, BurstSettings(), NOW)

    assert result.read + result.refused_total == sum(bool(line.strip(b"\r")) for line in data.split(b"\n"))
