"""Alertmanager's webhook is read as it sends it; one bad alert takes no other with it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.intake.alertmanager import MOST_ALERTS, read

SAMPLE = (Path(__file__).parents[2] / "golden" / "intake" / "alertmanager.json").read_bytes()
LEAST = {"status": "firing", "labels": {"a": "b"}, "startsAt": "2026-03-02T01:00:00Z"}


def message(*alerts: object) -> bytes:
    return json.dumps({"version": "4", "alerts": alerts}).encode()


def test_what_fires_and_what_is_over_are_told_apart() -> None:
    down, disk = read(SAMPLE).alerts

    assert (down.fingerprint, down.ends_at) == ("12f4b8a1c3d0e9f7", None)
    assert down.starts_at == datetime(2026, 3, 2, 0, 52, 26, 739267, tzinfo=UTC)
    assert down.labels["asset"] == "portal"
    assert list(down.links) == ["generator"]
    assert disk.ends_at == datetime(2026, 3, 2, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "silenced"}, "status"),
        ({"startsAt": "yesterday"}, "startsAt"),
        ({"startsAt": "2026-03-02T01:00:00"}, "timezone"),
        ({"labels": {"a": 1}}, "labels"),
        ({"labels": {"a": "x" * 9000}}, "labels"),
        ({"labels": {"a": "\0"}}, "labels"),
        ({"fingerprint": "x" * 201}, "fingerprint"),
    ],
    ids=["status", "time", "no zone", "number", "long", "nul", "fingerprint"],
)
def test_a_bad_alert_is_set_aside_with_its_place_and_the_rest_is_read(
    change: dict[str, object], why: str
) -> None:
    found = read(message(LEAST, LEAST | change))

    assert len(found.alerts) == 1
    (bad,) = found.unreadable
    assert bad.where == "$.alerts[1]"
    assert why in bad.why
    assert json.loads(bad.body) == LEAST | change


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"[]", b'{"alerts": 1}', b"\xff\xfe", message(*[LEAST] * (MOST_ALERTS + 1))]
)
def test_what_is_no_message_is_set_aside_whole(body: bytes) -> None:
    found = read(body)
    assert found.alerts == []
    assert [(one.where, one.body) for one in found.unreadable] == [("$", body)]


def test_a_sender_without_fingerprints_is_told_by_its_labels() -> None:
    one, same, other = read(message(LEAST, LEAST, LEAST | {"labels": {"a": "c"}})).alerts
    assert one.fingerprint == same.fingerprint != other.fingerprint


@given(st.binary(max_size=300))
def test_no_bytes_are_too_strange(body: bytes) -> None:
    found = read(body)
    assert found.alerts or found.unreadable or b"alerts" in body
