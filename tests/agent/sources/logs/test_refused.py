from datetime import UTC, datetime, timedelta

from agent.sources.logs.refused import Refused

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_refused_lines_are_told_together_once_a_minute_with_their_count_and_the_last_reason() -> None:
    refused = Refused()
    for number in range(1000):
        refused.add("auth.log", f"no line {number}", NOW + timedelta(milliseconds=number))
    assert list(refused.told(NOW + timedelta(seconds=59))) == []

    (body,) = refused.told(NOW + timedelta(seconds=61))
    assert (body["kind"], body["count"]) == ("incident", 1000)
    assert body["why"] == "1000 lines refused; the last: auth.log: no line 999"
    assert (body["from"], body["to"]) == ("2026-03-02T09:00:00Z", "2026-03-02T09:01:01Z")
    assert list(refused.told(NOW + timedelta(seconds=200))) == []


def test_a_log_of_which_every_line_is_read_has_nothing_to_tell() -> None:
    assert list(Refused().told(NOW)) == []


def test_a_clock_that_was_set_back_holds_nothing() -> None:
    refused = Refused()
    refused.add("auth.log", "no line", NOW)

    (body,) = refused.told(NOW - timedelta(days=400))
    assert body["from"] == body["to"]
