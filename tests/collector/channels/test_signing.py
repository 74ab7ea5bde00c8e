from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.channels.signing import key_of, signed, verify
from collector.errors import PermanentError

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
KEY = b"0123456789abcdef"


def test_a_signature_is_the_one_that_the_specification_gives_as_its_example() -> None:
    """Standard Webhooks: secret, id, timestamp and body of its libraries' own tests."""
    key = key_of(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(body=st.binary(), key=st.text(max_size=40))
def test_what_was_signed_verifies_and_nothing_else_does(body: bytes, key: str) -> None:
    headers = signed(KEY, key, NOON, body)

    assert verify(KEY, headers, body, NOON + timedelta(minutes=4))
    assert not verify(KEY, headers, body + b"x", NOON)
    assert not verify(KEY[::-1], headers, body, NOON)
    assert not verify(KEY, headers | {"webhook-id": key + "x"}, body, NOON)
    assert not verify(KEY, headers, body, NOON + timedelta(minutes=6))
    assert not verify(KEY, headers, body, NOON - timedelta(minutes=6))


def test_while_a_secret_is_changed_two_signatures_may_stand_side_by_side() -> None:
    headers = signed(KEY, "k", NOON, b"")
    headers["webhook-signature"] = "v1,b2xk " + headers["webhook-signature"]

    assert verify(KEY, headers, b"", NOON)


@pytest.mark.parametrize("headers", [{}, {"webhook-timestamp": "x"}, {"webhook-timestamp": "²"}])
def test_headers_that_are_no_signature_do_not_verify(headers: dict[str, str]) -> None:
    assert not verify(KEY, headers, b"", NOON)


def test_a_secret_is_base64_after_its_prefix_or_plain() -> None:
    assert key_of(b"whsec_" + b64encode(KEY)) == key_of(KEY) == KEY


@pytest.mark.parametrize("secret", [b"short", b"whsec_c2hvcnQ=", b"whsec_!!!"])
def test_a_secret_that_keeps_nobody_out_is_refused(secret: bytes) -> None:
    with pytest.raises(PermanentError, match="secret"):
        key_of(secret)
