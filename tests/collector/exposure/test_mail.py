import pytest

from tests.collector.exposure.told import GOOD, HOME, judged, told, verdicts


def relay(host: str, port: int = 25) -> dict[str, object]:
    return {"host": host, "port": port, "source": "/etc/postfix/main.cf"}


@pytest.mark.parametrize(
    ("host", "verdict"), [("203.0.113.25", "available"), ("smtp.example.com", "unknown")]
)
def test_a_relay_outside_is_a_way_out_for_letters(host: str, verdict: str) -> None:
    found = verdicts(told([HOME], [GOOD], mail=[relay(host)]))

    assert found[f"mail/{host}:25"] == verdict


def test_a_relay_inside_is_none() -> None:
    assert list(verdicts(told([HOME], [GOOD], mail=[relay("10.20.0.25")]))) == ["way/eth0/10.20.0.1/4"]


def test_connections_to_mail_servers_outside_are_told_and_alarm_nobody() -> None:
    facts = told([HOME], [GOOD], mail_ports=[("203.0.113.25", 993), ("203.0.113.80", 443), ("10.20.0.5", 25)])
    (one,) = [one for one in judged(facts) if one.key == "mail/connections"]

    assert one.verdict == "unknown"
    assert one.evidence == ({"remote": "203.0.113.25", "port": 993, "process": None},)
