import doctest
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.detection import zeek
from agent.detection.record import Contact, RecordError
from agent.detection.sensor import Sensor, SensorSettings
from agent.detection.zeek import CLASSES, ZeekReader
from collector import shipped
from collector.classes import read_classes


def row(**fields: Any) -> bytes:  # noqa: ANN401 - JSON
    named = {key.replace("__", "."): value for key, value in fields.items()}
    return json.dumps({"ts": 1772413800.0, **named}).encode()


def test_the_example_is_true() -> None:
    assert doctest.testmod(zeek).failed == 0


@pytest.mark.parametrize(
    ("note", "incident_class", "severity"),
    [
        ("Scan::Port_Scan", "NASCAN", "medium"),
        ("SSH::Password_Guessing", "NACRED", "medium"),
        ("SSH::Watched_Country_Login", "ABACCESS", "low"),
        ("HTTP::SQL_Injection_Attacker", "NAEXPLOIT", "medium"),
        ("SSL::Invalid_Server_Cert", "SHECONFIG", "low"),
        ("Site::Own_Notice", "NAOTH", "low"),
    ],
)
def test_a_notice_is_classed_by_its_type(note: str, incident_class: str, severity: str) -> None:
    found = ZeekReader().read(row(note=note, src="203.0.113.9", msg="m"), "notice.log").finding

    assert found
    assert (found.incident_class, found.severity) == (incident_class, severity)
    assert found.source_address == "203.0.113.9"


def test_a_notice_about_a_connection_takes_its_ends_from_there() -> None:
    fields = {"id__orig_h": "10.1.1.5", "id__resp_h": "10.1.1.8", "id__resp_p": 443}
    found = ZeekReader().read(row(note="SSL::Invalid_Server_Cert", **fields)).finding

    assert found
    assert (found.source_address, found.target_address) == ("10.1.1.5", "10.1.1.8")
    assert found.item["target_port"] == 443


@pytest.mark.parametrize(("state", "answered"), [("S0", False), ("REJ", False), ("SF", True), ("S1", True)])
def test_a_connection_says_whether_it_was_answered(state: str, answered: bool) -> None:  # noqa: FBT001 - a case
    fields = {"id__orig_h": "10.1.1.5", "id__resp_h": "10.1.1.8", "id__resp_p": 22, "proto": "tcp"}

    assert ZeekReader().read(row(conn_state=state, **fields), "conn.log").contact == Contact(
        "10.1.1.5", "10.1.1.8", 22, answered
    )
    assert ZeekReader().read(row(conn_state=state, **fields | {"proto": "udp"}), "conn.log").contact is None


def test_losses_are_added_up_whichever_log_tells_them() -> None:
    reader = ZeekReader()
    reader.read(row(gaps=10, acks=100, percent_lost=10.0, peer="w1"), "capture_loss.log")
    counted = reader.read(row(gaps=5, acks=100, percent_lost=5.0, peer="w1")).counted
    other = reader.read(row(pkts_proc=1000, pkts_dropped=3, peer="w1"), "/x/stats.2026-03-02.log").counted

    assert counted
    assert (counted.seen, counted.lost) == (185, 15)
    assert other
    assert (other.seen, other.lost) == (1000, 3)


def test_the_first_interval_of_a_capture_counts_from_its_beginning() -> None:
    sensor = Sensor(ZeekReader(), SensorSettings())
    line = row(gaps=500, acks=2000, percent_lost=25.0, peer="w1", ts_delta=900.0)
    _, (gap, incident) = sensor.line(line, "capture_loss.log")

    assert (gap.kind, gap.body["count"], gap.body["to"]) == ("gap", 500, "2026-03-02T01:10:00Z")
    assert gap.body["from"] == "2026-03-02T00:55:00Z"
    assert incident.body["key"] == "zeek:loss"
    assert ZeekReader().read(row(gaps=1, acks=2, ts_delta=1e300), "capture_loss.log").counted


def test_rows_of_other_logs_say_nothing() -> None:
    seen = ZeekReader().read(row(query="example.cn", _path="dns"), "dns.log")

    assert (seen.finding, seen.counted, seen.contact) == (None, None, None)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"#separator \\x09", "table format"),
        (b"1772413800.0\tC1\t10.0.0.1", "no row"),
        (b"{}", "no row"),
        (b'{"ts":"soon"}', "no time"),
        (b'{"ts":1e999}', "no row|no time"),
        (b"[" * 100_000, "no row"),
        (b'{"ts":1,"note":"\xff"}', "no row"),
    ],
)
def test_what_is_no_row_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(RecordError, match=why):
        ZeekReader().read(data, "notice.log")


def test_every_class_stands_in_the_shipped_table() -> None:
    table = shipped.configs_dir() / "classes.yaml"
    known = read_classes(table.read_text("utf-8"), str(table)).by_code

    assert {incident_class for incident_class, _ in CLASSES.values()} <= set(known)


KEYS = ["ts", "note", "src", "id.orig_h", "id.resp_p", "proto", "conn_state", "gaps", "acks", "_path", "peer"]
WORDS = st.sampled_from(["conn", "S0", "tcp", 1.5])
VALUES = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=12), WORDS)
LOGS = st.sampled_from(["", "conn.log", "notice.log", "stats.log"])


@given(st.dictionaries(st.sampled_from(KEYS), VALUES), LOGS)
def test_any_object_is_read_or_refused(fields: dict[str, Any], log: str) -> None:
    with suppress(RecordError):
        ZeekReader().read(json.dumps(fields).encode(), log)
