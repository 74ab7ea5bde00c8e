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


def exchange(*addresses: str) -> dict[str, object]:
    return {"domain": "example.gov.cn", "exchanges": [{"name": "mx.example.net", "addresses": addresses}]}


@pytest.mark.parametrize(
    ("addresses", "verdict"),
    [
        (["8.8.8.8"], "available"),
        (["10.20.0.25", "8.8.8.8"], "available"),
        (["10.20.0.25"], None),
        (["198.51.100.25"], None),  # a range of our own internet zone
        (["203.0.113.9"], None),  # an egress of a registered exit
        ([], None),
    ],
)
def test_letters_that_a_strangers_server_takes_are_told(addresses: list[str], verdict: str | None) -> None:
    found = verdicts(told([HOME], [GOOD], mail_domains=[exchange(*addresses)]))

    assert found.get("mail/mx/example.gov.cn") == verdict


WEBMAIL = {
    "service": "qq",
    "name": "mail.qq.com",
    "count": 3,
    "first_seen": "2026-03-02T04:00:00+00:00",
    "last_seen": "2026-03-02T04:00:06+00:00",
    "addresses": ["203.0.113.99"],
}


@pytest.mark.parametrize(
    ("asset", "remote", "verdict", "code", "confidence"),
    [
        ("district-oa", "203.0.113.98", "unknown", "webmail_asked", 0.3),
        ("district-oa", "203.0.113.99", "unknown", "webmail_used", 0.95),
        ("district-intranet-terminals", "203.0.113.98", "unknown", "webmail_asked", 0.3),
        ("district-intranet-terminals", "203.0.113.99", "used", "webmail_used", 0.95),
    ],
)
def test_webmail_is_use_when_a_connection_goes_to_an_address_of_the_name(
    asset: str, remote: str, verdict: str, code: str, confidence: float
) -> None:
    facts = told([HOME], [GOOD], talks=[("10.20.0.9", remote)], webmail=[WEBMAIL])
    (one,) = [one for one in judged(facts, asset) if one.key == "webmail/mail.qq.com"]

    assert (one.verdict, one.reasons[0].code, one.confidence) == (verdict, code, confidence)
    assert one.evidence[0]["count"] == 3
    assert one.evidence[0]["last_seen"] == WEBMAIL["last_seen"]
    assert one.evidence[0]["how"] == ["dns"]


GREETED = WEBMAIL | {"how": ["tls"], "greeted": ["10.20.0.7", "203.0.113.99"]}


@pytest.mark.parametrize(
    ("asset", "verdict"), [("district-oa", "unknown"), ("district-intranet-terminals", "used")]
)
def test_a_server_outside_greeted_by_the_name_is_use_that_no_question_shows(asset: str, verdict: str) -> None:
    facts = told([HOME], [GOOD], webmail=[GREETED])
    (one,) = [one for one in judged(facts, asset) if one.key == "webmail/mail.qq.com"]

    assert (one.verdict, one.reasons[0].code, one.confidence) == (verdict, "webmail_greeted", 0.95)
    assert (one.evidence[0]["how"], one.evidence[0]["remote"]) == (["tls"], "203.0.113.99")


def test_a_server_of_our_own_greeted_by_the_name_is_no_use() -> None:
    """A gateway inside that takes the connection: whether it leads on is not known."""
    facts = told([HOME], [GOOD], webmail=[GREETED | {"greeted": ["10.20.0.7"]}])
    (one,) = [one for one in judged(facts, "district-intranet-terminals") if one.key == "webmail/mail.qq.com"]

    assert (one.verdict, one.reasons[0].code) == ("unknown", "webmail_asked")


def test_a_connection_that_is_seen_says_more_than_a_greeting() -> None:
    facts = told([HOME], [GOOD], talks=[("10.20.0.9", "203.0.113.99")], webmail=[GREETED])
    (one,) = [one for one in judged(facts, "district-intranet-terminals") if one.key == "webmail/mail.qq.com"]

    assert (one.verdict, one.reasons[0].code) == ("used", "webmail_used")
