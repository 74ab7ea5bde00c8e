import io
import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agent.cli.recorded import Refusals, lines, packets, sensor_log
from agent.sources import SourcesSettings

GOLDEN = Path(__file__).parents[2] / "golden/sensors"


def test_a_sensors_log_is_told_from_its_first_alert_to_the_end_of_every_trouble() -> None:
    with (GOLDEN / "eve.json").open("rb") as file:
        result = sensor_log(file, "eve.json", "eve", SourcesSettings())

    assert (result.read, result.refused_total) == (7, 2)
    assert {one.source for one in result.reports} == {"suricata"}
    assert sum(one.body.get("restored", False) for one in result.reports) == 3


def test_a_line_over_the_limit_is_given_by_its_beginning_and_the_next_by_its_own_number() -> None:
    found = list(lines(io.BytesIO(b"x" * 200_000 + b"\n\nend"), 10))

    assert [(number, len(line)) for number, line in found] == [(1, 12), (3, 3)]


def test_refusals_keep_the_first_and_count_all() -> None:
    refusals = Refusals()
    for number in range(10_050):
        refusals.add(number, "why")

    assert (len(refusals.first), refusals.total) == (10_000, 10_050)


def test_a_scan_counts_every_door_of_the_recording_those_of_its_last_second_too() -> None:
    rows = [
        {
            "ts": 1772413800500 + number,
            "id.orig_h": "203.0.113.9",
            "id.resp_h": "10.1.1.5",
            "id.resp_p": number + 1,
        }
        | {"proto": "tcp", "conn_state": "S0"}
        for number in range(30)
    ]
    data = io.BytesIO(b"\n".join(json.dumps(one).encode() for one in rows))
    result = sensor_log(data, "conn.log", "zeek", SourcesSettings())

    assert [(one.body["count"], one.body["restored"]) for one in result.reports][-1] == (30, True)


def test_a_log_that_begins_with_a_byte_order_mark_loses_no_line() -> None:
    data = io.BytesIO(b"\xef\xbb\xbf" + (GOLDEN / "eve.json").read_bytes())

    assert sensor_log(data, "eve.json", "eve", SourcesSettings()).refused_total == 2


@given(st.binary(max_size=2000), st.sampled_from(["eve", "zeek"]))
def test_any_file_is_read_and_every_line_is_either_read_or_refused(data: bytes, form: str) -> None:
    result = sensor_log(io.BytesIO(data), "x.log", form, SourcesSettings())

    assert result.read + result.refused_total == sum(bool(line.strip(b"\r")) for line in data.split(b"\n"))


@given(st.binary(max_size=400))
def test_any_file_is_packets_or_refused(data: bytes) -> None:
    result = packets(io.BytesIO(data), SourcesSettings())

    assert result.read or result.refused_total
