"""A filing's mail is the same whenever it is made."""

import pytest

from collector.authority.letter import message_id


def test_the_same_key_and_address_give_the_same_id_and_others_another() -> None:
    one = message_id("i/o", "a@authority.example", "duty@county.example")

    assert one == message_id("i/o", "a@authority.example", "duty@county.example")
    assert one.endswith("@county.example>")


@pytest.mark.parametrize(("key", "to"), [("i/p", "a@authority.example"), ("i/o", "b@authority.example")])
def test_another_filing_or_address_has_another_id(key: str, to: str) -> None:
    assert message_id(key, to, "duty@county.example") != message_id(
        "i/o", "a@authority.example", "duty@county.example"
    )
