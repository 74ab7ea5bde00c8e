import doctest
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agent.detection import tunnels
from agent.detection.repeats import Finding
from agent.detection.tunnels import Tunnels, TunnelSettings, labels_of, split

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
CLIENT = bytes([10, 1, 1, 5])


def wire(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))


def asked(kept: Tunnels, names: list[str], every: float = 1.0) -> list[Finding]:
    return [
        finding
        for number, name in enumerate(names)
        for finding in kept.step({(CLIENT, wire(name)): 1}, START + timedelta(seconds=number * every))
    ]


def hexed(count: int, domain: str = "t.example.net") -> list[str]:
    return [f"{number:040x}.{domain}" for number in range(count)]


def test_the_examples_are_true() -> None:
    assert doctest.testmod(tunnels).attempted
    assert doctest.testmod(tunnels).failed == 0


def test_forty_names_never_asked_twice_are_a_tunnel_and_each_further_one_counts() -> None:
    found = asked(Tunnels(TunnelSettings()), hexed(42))

    assert [one.times for one in found] == [40, 1, 1]
    assert (found[0].key, found[0].incident_class) == ("dns_tunnel:10.1.1.5:example.net", "ABTRAFFIC")
    assert found[0].item["length"] == 42.0
    assert len(found[0].item["samples"]) == 5


def test_the_same_names_spread_over_hours_or_asked_again_and_again_are_none() -> None:
    assert asked(Tunnels(TunnelSettings()), hexed(200), every=60) == []
    assert asked(Tunnels(TunnelSettings()), hexed(39) * 5) == []


def test_long_names_of_short_words_are_what_people_made() -> None:
    names = [f"pod-{number}.service.namespace-of-a-team.svc.cluster.local" for number in range(100)]

    assert asked(Tunnels(TunnelSettings(length=20)), names) == []


def test_an_ignored_domain_covers_what_is_below_it() -> None:
    ignoring = TunnelSettings(ignore=("T.example.net.",))

    assert asked(Tunnels(ignoring), hexed(100)) == []
    assert asked(Tunnels(ignoring), hexed(100, "u.example.net"))


def test_ever_new_domains_hold_no_memory() -> None:
    kept = Tunnels(TunnelSettings())
    asked(kept, [f"a.b{number}.example" for number in range(5200)], every=0)

    assert len(kept._asked) == 5000


def test_a_name_that_is_none_is_no_name() -> None:
    assert labels_of(b"\x40" + bytes(64)) == []
    assert labels_of(b"\x05abc") == []
    assert labels_of(b"\x03a\x00\xff") == ["a??"]


@given(st.binary(max_size=300))
def test_any_bytes_are_labels_or_none(data: bytes) -> None:
    labels = labels_of(data)
    domain, below = split(labels)

    assert ".".join(part for part in (below, domain) if part) == ".".join(labels)
    Tunnels(TunnelSettings()).step({(CLIENT, data): 1}, START)
