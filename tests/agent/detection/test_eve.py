import doctest
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.detection import eve
from agent.detection.eve import CLASSES, EveReader
from agent.detection.record import RecordError
from collector import shipped
from collector.classes import read_classes


def line(**fields: Any) -> bytes:  # noqa: ANN401 - JSON
    return json.dumps({"timestamp": "2026-03-02T09:10:00.5+0800", **fields}).encode()


def alert(**fields: Any) -> bytes:  # noqa: ANN401 - JSON
    inner = {"signature_id": 7, "signature": "TEST", "category": "Misc Attack", "severity": 2} | fields
    return line(
        event_type="alert", src_ip="203.0.113.9", dest_ip="10.1.1.5", dest_port=22, proto="TCP", alert=inner
    )


def test_the_example_is_true() -> None:
    assert doctest.testmod(eve).failed == 0


def test_an_alert_is_a_finding_of_its_signature_and_address() -> None:
    found = EveReader().read(alert(category="Web Application Attack", severity=1)).finding

    assert found
    assert (found.key, found.group) == ("suricata:7:203.0.113.9", "suricata:7")
    assert (found.incident_class, found.severity, found.target_address) == ("NAEXPLOIT", "high", "10.1.1.5")
    assert found.item["target_port"] == 22
    assert found.item["at"] == "2026-03-02T01:10:00.500000Z"


def test_a_category_nobody_knows_is_another_attack_of_low_severity_where_it_is_not_graver() -> None:
    found = EveReader().read(alert(category="Local rules", severity=4)).finding

    assert found
    assert (found.incident_class, found.severity) == ("NAOTH", "low")


def test_the_signatures_of_another_generator_are_told_apart() -> None:
    found = EveReader().read(alert(gid=3)).finding

    assert found
    assert found.group == "suricata:3:7"


def test_statistics_are_counters_of_seen_and_lost() -> None:
    capture = {"kernel_packets": 1000, "kernel_drops": 40, "kernel_ifdrops": 2}
    counted = EveReader().read(line(event_type="stats", stats={"capture": capture})).counted

    assert counted
    assert (counted.seen, counted.lost) == (960, 42)


@pytest.mark.parametrize(
    "event",
    [
        line(event_type="flow", src_ip="10.0.0.1"),
        line(event_type="alert"),
        line(event_type="stats"),
        line(event_type="stats", stats={"capture": {}}),
        line(event_type="dns", dns={"rrname": "x" * 1000}),
    ],
)
def test_every_other_event_is_read_and_says_nothing(event: bytes) -> None:
    seen = EveReader().read(event)

    assert (seen.finding, seen.counted) == (None, None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"null",
        b'{"timestamp":"2026-03-02T09:10:00+0800"}',
        b'{"timestamp":"never","event_type":"alert"}',
        b'{"timestamp":1,"event_type":"alert"}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"timestamp":"2026-03-02T09:10:00+0800","event_type":"\xff\xfe"}',
        alert(signature_id="seven"),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(data: bytes) -> None:
    with pytest.raises(RecordError, match=r"no EVE event|no time"):
        EveReader().read(data)


def test_every_class_stands_in_the_shipped_table() -> None:
    table = shipped.configs_dir() / "classes.yaml"
    known = read_classes(table.read_text("utf-8"), str(table)).by_code

    assert {*CLASSES.values(), "NAOTH"} <= set(known)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(["alert", "stats", "2026-03-02T01:00:00Z"])
KEYS = ["timestamp", "event_type", "src_ip", "dest_ip", "dest_port", "alert", "stats", "proto"]


@given(
    st.dictionaries(
        st.sampled_from(KEYS), values | st.sampled_from(["alert", "stats", "2026-03-02T01:00:00Z"])
    )
)
def test_any_object_is_read_or_refused(fields: dict[str, Any]) -> None:
    with suppress(RecordError):
        EveReader().read(json.dumps(fields).encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(RecordError):
        EveReader().read(data)
