from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.detection.webmail import Names, Seen, Unread
from agent.sources.network.webmail import Webmail, WebmailSettings, services

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
OWN = {"10.1.1.5"}


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("mail.qq.com", "qq"),
        ("set3.mail.qq.com", "qq"),
        ("mail.163.com", "netease-163"),
        ("mail.126.com", "netease-126"),
        ("mail.google.com", "gmail"),
        ("outlook.live.com", "outlook"),
        ("mail.sina.com.cn", "sina"),
        ("mail.aliyun.com", "aliyun-personal"),
        ("exmail.qq.com", "qq-exmail"),
        ("www.qq.com", ""),
        ("www.163.com", ""),
        ("www.google.com", ""),
        ("mail.example.gov.cn", ""),
    ],
)
def test_the_shipped_list_knows_letter_boxes_and_no_whole_sites(name: str, service: str) -> None:
    assert Names(services(WebmailSettings())).service_of(name.split(".")) == service


def test_the_settings_add_to_the_list_and_switch_it_off() -> None:
    added = services(WebmailSettings(names=("mail.example.com",)))

    assert Names(added).service_of(["mail", "example", "com"]) == "listed"
    assert services(WebmailSettings(enabled=False)) == {}


@pytest.mark.parametrize("text", ["[a, b]", "qq: mail.qq.com", "qq: [", "qq: [1]"])
def test_a_damaged_list_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "webmail.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"webmail\.yaml"):
        services(WebmailSettings(), file)


def test_the_nodes_own_questions_are_kept_with_when_and_how_often() -> None:
    told: list[int] = []
    kept = Webmail()
    kept.tell = lambda: told.append(1)
    kept.note(Seen("qq", "mail.qq.com", "10.1.1.5", 2), OWN, NOON)
    kept.note(Seen("qq", "mail.qq.com", "10.1.1.5", 1), OWN, NOON + timedelta(seconds=5))
    kept.note(Seen("qq", "mail.qq.com", "10.1.1.5", 0, ("203.0.113.9",)), OWN, NOON + timedelta(seconds=6))
    kept.note(Seen("gmail", "mail.google.com", "10.1.1.77", 1), OWN, NOON)

    assert kept.rows(NOON + timedelta(minutes=1)) == [
        {
            "service": "qq",
            "name": "mail.qq.com",
            "count": 3,
            "first_seen": "2026-03-02T04:00:00Z",
            "last_seen": "2026-03-02T04:00:06Z",
            "addresses": ["203.0.113.9"],
            "how": ["dns"],
            "greeted": [],
        }
    ]
    assert len(told) == 2  # a name, and an address; not each time


def test_a_server_greeted_by_a_name_that_nobody_asked_for_is_told_once_an_hour() -> None:
    told: list[int] = []
    kept = Webmail()
    kept.tell = lambda: told.append(1)
    greeting = Seen("qq", "mail.qq.com", "10.1.1.5", 1, ("203.0.113.9",), "tls")
    for minute in (0, 1, 59):
        kept.note(greeting, OWN, NOON + timedelta(minutes=minute))
    kept.note(greeting, {"10.1.1.6"}, NOON)

    (row,) = kept.rows(NOON + timedelta(minutes=59))
    assert (row["how"], row["addresses"], row["greeted"]) == (["tls"], ["203.0.113.9"], ["203.0.113.9"])
    assert (row["count"], len(told)) == (3, 1)
    (later,) = kept.rows(NOON + timedelta(hours=2))
    assert (later["addresses"], later["greeted"]) == (["203.0.113.9"], [])
    kept.note(greeting, OWN, NOON + timedelta(hours=2))
    assert len(told) == 2


def test_what_was_asked_for_and_greeted_is_one_row_that_says_both() -> None:
    kept = Webmail()
    kept.note(Seen("qq", "mail.qq.com", "10.1.1.5", 2), OWN, NOON)
    for number in range(20):
        address = f"203.0.113.{number}"
        kept.note(Seen("qq", "mail.qq.com", "10.1.1.5", 1, (address,), "tls"), OWN, NOON)

    (row,) = kept.rows(NOON)
    assert (row["how"], row["count"]) == (["dns", "tls"], 22)
    assert (len(row["addresses"]), len(row["greeted"])) == (16, 16)


def test_greetings_that_could_not_be_read_are_counted_where_they_were_ours() -> None:
    kept = Webmail()
    kept.miss(Unread("10.1.1.5", 2), OWN)
    kept.miss(Unread("10.1.1.77", 5), OWN)

    assert kept.unread == 2


def test_what_was_not_asked_for_within_a_day_is_forgotten_and_names_are_bounded() -> None:
    kept = Webmail()
    for number in range(100):
        kept.note(Seen("qq", f"{number}.mail.qq.com", "10.1.1.5", 1), OWN, NOON)

    assert len(kept.rows(NOON)) == 64
    assert kept.rows(NOON + timedelta(hours=25)) == []
