from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agent.detection.floods import Floods, FloodSettings
from agent.detection.repeats import Finding
from agent.detection.tally import Contact

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOST, DOOR = bytes([10, 1, 1, 5]), b"\x01\xbb"
SETTINGS = FloodSettings(syn_per_second=100, udp_per_second=100, seconds=3)


def contacts(count: int, sources: int = 1) -> dict[Contact, int]:
    share = count // sources
    return {(bytes([198, 18, number >> 8, number & 255]), HOST, DOOR): share for number in range(sources)}


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def run(counts: list[int], kind: str = "syn") -> list[Finding]:
    floods = Floods(SETTINGS)
    return [
        one for at, count in enumerate(counts) for one in floods.step(kind, contacts(count), 1.0, after(at))
    ]


def test_a_rate_that_holds_is_a_flood_from_the_third_second_on() -> None:
    found = run([100, 100, 100, 150])

    assert [one.times for one in found] == [100, 150]
    assert (found[0].incident_class, found[0].severity) == ("NADOS", "high")
    assert found[0].item["since"] == "2026-03-02T09:00:00Z"


def test_a_rate_just_below_and_one_with_pauses_are_none() -> None:
    assert run([99] * 20) == []
    assert run([500, 500, 0, 0, 500, 500, 0, 0, 500]) == []


def test_a_step_that_took_longer_is_judged_by_its_rate() -> None:
    floods = Floods(SETTINGS)

    assert [floods.step("syn", contacts(150), 2.0, after(2 * at)) for at in range(5)] == [[]] * 5


def test_one_sender_of_nine_tenths_is_named_and_many_are_counted() -> None:
    floods = Floods(SETTINGS)
    many = [floods.step("syn", contacts(300, sources=300), 1.0, after(at)) for at in range(3)][-1][0]
    one = run([100] * 3)[0]

    assert (many.source_address, many.item["sources"], len(many.item["most"])) == (None, 300, 10)
    assert one.source_address == "198.18.0.0"


def test_datagrams_count_by_address_whatever_their_port() -> None:
    floods = Floods(SETTINGS)
    spread = {(b"\1\1\1\1", HOST, bytes([0, number])): 1 for number in range(150)}
    found = [floods.step("udp", spread, 1.0, after(at)) for at in range(3)][-1]

    assert [(one.key, one.source_address) for one in found] == [("flood:udp:10.1.1.5", "1.1.1.1")]
    assert Floods(SETTINGS).step("syn", spread, 1.0, after(0)) == []


def test_steps_shorter_than_a_second_are_counted_by_their_time() -> None:
    floods = Floods(SETTINGS)
    found = [at for at in range(10) if floods.step("syn", contacts(100), 0.5, after(at / 2))]

    assert found == [4, 5, 6, 7, 8, 9]


@given(st.lists(st.integers(0, 200), max_size=30))
def test_there_is_a_flood_exactly_where_three_seconds_in_a_row_reach_the_rate(counts: list[int]) -> None:
    """A single second below is forgiven: packets do not come in even seconds."""
    begin, last, expected = 0, -10, 0
    for at, count in enumerate(counts):
        if count >= 100:
            begin = begin if at - last <= 2 else at
            last = at
            expected += at - begin >= 2

    assert len(run(counts)) == expected
