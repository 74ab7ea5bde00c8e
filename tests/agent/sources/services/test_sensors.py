from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from agent.sources.services.sensors import BlindSince, Sensors, SensorsSettings

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


class Eye(NamedTuple):
    """A source as far as it is watched."""

    name: str
    blind: str = ""


def sensors(*watched: Eye) -> Sensors:
    return Sensors(SensorsSettings(after=300), watched=watched, state=None)


def test_a_source_that_is_blind_for_five_minutes_is_told_with_its_reason() -> None:
    source = sensors(Eye("logins", "/var/log/auth.log: Permission denied"), Eye("files"))
    first = source.look(NOON, BlindSince(), alone=False)
    assert first.findings == ()
    assert isinstance(first.notes, BlindSince)
    (finding,) = source.look(NOON + timedelta(minutes=5), first.notes, alone=False).findings

    assert (finding.klass, finding.key, finding.first_seen) == ("DETECH", "sensors:logins", NOON)
    assert finding.evidence == [
        {"fault": "blind", "source": "logins", "why": "/var/log/auth.log: Permission denied"}
    ]


def test_sources_that_see_are_no_matter_and_one_that_sees_again_is_none_any_more() -> None:
    look = sensors(Eye("files")).look(NOON, BlindSince({"files": NOON}), alone=False)

    assert look.findings == ()
    assert look.notes == BlindSince()


def test_a_source_that_dies_again_and_again_is_told_until_it_lives_for_ten_minutes() -> None:
    source = sensors(Eye("exits"))
    for second in (0, 10, 30):
        source.failed("exits", "OSError: no netlink", NOON + timedelta(seconds=second))
    (finding,) = source.look(NOON + timedelta(minutes=1), BlindSince(), alone=False).findings

    assert (finding.key, finding.count) == ("sensors:exits", 3)
    assert finding.evidence[0]["fault"] == "fails"
    assert source.look(NOON + timedelta(minutes=11), BlindSince(), alone=False).findings == ()


def test_a_single_failure_is_a_gap_and_no_matter_of_its_own() -> None:
    source = sensors(Eye("exits"))
    source.failed("exits", "OSError: no netlink", NOON)

    assert source.look(NOON, BlindSince(), alone=True).findings == ()
