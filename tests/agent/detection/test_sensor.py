from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.detection.eve import EveReader
from agent.detection.record import RecordError
from agent.detection.scans import ScanSettings
from agent.detection.sensor import Sensor, SensorSettings, Told
from agent.detection.zeek import ZeekReader

SLOW = ScanSettings(doors=1000, slow_doors=30)
GOLDEN = Path(__file__).parents[2] / "golden/sensors"


def told(sensor: Sensor, name: str) -> list[Told]:
    found = []
    for line in (GOLDEN / name).read_bytes().splitlines():
        try:
            found += sensor.line(line, name)[1]
        except RecordError:
            continue
    return found


def test_alerts_are_incidents_and_lost_packets_a_gap_and_an_incident() -> None:
    found = told(Sensor(EveReader(), SensorSettings()), "eve.json")

    assert [(one.kind, one.body.get("key"), one.body.get("class")) for one in found] == [
        ("incident", "suricata:9000001:203.0.113.9", "NASCAN"),
        ("incident", "suricata:9000002:10.1.1.5", "MPTROJ"),
        ("gap", None, None),
        ("incident", "suricata:loss", "DETECH"),
    ]
    assert found[2].body["count"] == 3000


def test_what_an_operator_does_not_want_is_read_and_not_told() -> None:
    grave = told(Sensor(EveReader(), SensorSettings(least="high")), "eve.json")
    muted = told(Sensor(EveReader(), SensorSettings(ignore=("suricata:9000002",))), "eve.json")

    assert [one.body.get("key") for one in grave] == ["suricata:9000002:10.1.1.5", None, "suricata:loss"]
    assert [one.body.get("key") for one in muted] == ["suricata:9000001:203.0.113.9", None, "suricata:loss"]


def test_thirty_refused_connections_are_a_scan_and_sixty_that_worked_are_none() -> None:
    found = told(Sensor(ZeekReader(), SensorSettings()), "conn.log")

    assert [one.body["key"] for one in found] == ["zeek:scan:203.0.113.9"]


def test_a_scan_that_spans_a_restart_is_counted_whole() -> None:
    lines = (GOLDEN / "conn.log").read_bytes().splitlines()[:90]
    first, second = Sensor(ZeekReader(), SensorSettings(scans=SLOW)), []
    for line in lines[:45]:
        assert first.line(line, "conn.log")[1] == []
    again = Sensor(ZeekReader(), SensorSettings(scans=SLOW), scans=first.scans())
    for line in lines[45:]:
        second += again.line(line, "conn.log")[1]

    assert [one.body["key"] for one in second] == ["zeek:scan:203.0.113.9"]


def test_a_sensor_whose_clock_is_ahead_ends_no_trouble_late() -> None:
    sensor = Sensor(EveReader(), SensorSettings())
    now = datetime(2020, 1, 1, tzinfo=UTC)
    line = (GOLDEN / "eve.json").read_bytes().splitlines()[1]

    at, (incident,) = sensor.line(line, "eve.json", now)
    assert (at, incident.body["last_seen"]) == (now, "2020-01-01T00:00:00Z")
    assert [one.body["restored"] for one in sensor.tick(now + timedelta(seconds=901))] == [True]


def short(found: list[Told]) -> list[tuple[object, object]]:
    return [(one.body["key"], one.body["restored"]) for one in found]


def test_a_sensor_without_a_line_for_half_an_hour_is_dead_until_it_is_heard() -> None:
    sensor = Sensor(EveReader(), SensorSettings())
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    line = (GOLDEN / "eve.json").read_bytes().splitlines()[0]

    assert sensor.listen(now) == []
    assert sensor.listen(now + timedelta(minutes=29)) == []
    assert short(sensor.listen(now + timedelta(minutes=30))) == [("suricata:silent", False)]
    later = now + timedelta(minutes=44)
    assert sensor.listen(later) + sensor.tick(later) == []
    again = Sensor(EveReader(), SensorSettings(), sensor.saved())
    assert again.listen(later) + again.tick(later) == []
    again.line(line, "eve.json", later)
    assert short(again.listen(later)) == [("suricata:silent", True)]


def test_a_sensor_that_may_be_silent_is_never_dead() -> None:
    sensor = Sensor(ZeekReader(), SensorSettings(silence=0))
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)

    assert [sensor.listen(now + timedelta(days=day)) for day in range(3)] == [[], [], []]


def test_a_line_over_the_limit_is_refused_without_a_look() -> None:
    with pytest.raises(RecordError, match="more than 262144"):
        Sensor(EveReader(), SensorSettings()).line(b" " * 300_000, "eve.json")
