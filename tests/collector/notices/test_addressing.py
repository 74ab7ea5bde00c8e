from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from collector.notices import Address, address_of
from collector.store.notices import Notice

if TYPE_CHECKING:
    from tests.conftest import Office

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
ALLOW = ["https://soc.gov.example/hooks"]


def notice(person: str | None = None, **payload: Any) -> Notice:  # noqa: ANN401 - JSON
    return Notice(
        id="n",
        key="k",
        incident=None,
        person=person,
        channel="webhook",
        payload=payload,
        state="sending",
        attempts=1,
        created_at=NOON,
        next_at=NOON,
        fence=1,
        sent_at=None,
        result=None,
        drill=False,
    )


def test_a_persons_notice_goes_to_their_address_and_says_for_whom_it_is(office: "Office") -> None:
    found = address_of(notice("wang", subject="s"), office.registry, [])

    assert found == Address(
        "http://127.0.0.1:9000/wang", {"subject": "s", "key": "k", "person": "wang", "name": "王"}
    )


def test_a_machines_notice_goes_to_the_channels_own_address(office: "Office") -> None:
    assert address_of(notice(subject="s"), office.registry, []) == Address("", {"subject": "s", "key": "k"})


def test_a_request_goes_where_the_settings_allow_it_now(office: "Office") -> None:
    allowed = notice(url="https://soc.gov.example/hooks/a", body={"b": 1})

    assert address_of(allowed, office.registry, ALLOW) == Address(allowed.payload["url"], {"b": 1})
    assert isinstance(address_of(allowed, office.registry, []), str)


@pytest.mark.parametrize("url", ["https://soc.gov.example.evil.example/hooks", "file:///etc/passwd", 7])
def test_a_request_to_anywhere_else_goes_nowhere(office: "Office", url: object) -> None:
    assert "http_allow" in str(address_of(notice(url=url), office.registry, ALLOW))


def test_a_person_who_left_the_register_is_named(office: "Office") -> None:
    assert address_of(notice("ghost"), office.registry, []) == "the register has no person 'ghost'"


def test_a_link_stands_in_the_text_and_by_itself(office: "Office") -> None:
    found = address_of(
        notice("wang", subject="s", body="b", language="zh"), office.registry, [], lambda _: "https://c/a/x"
    )

    assert isinstance(found, Address)
    assert found.payload["body"] == "b\n确认请打开: https://c/a/x"
    assert found.payload["acknowledge"] == "https://c/a/x"
