"""Enrolment and bearer tokens."""

import json
from base64 import b64decode, urlsafe_b64decode
from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import PermanentError
from collector.trust.tokens import EnrolmentToken, digest, new_bearer, new_secret, read_token, write_token

TOKEN = EnrolmentToken(url="https://collector:8443", ca=b"\x30\x82der", secret="s3cret")


def test_a_token_is_one_word_that_says_where_whom_and_the_secret() -> None:
    word = write_token(TOKEN)
    body = word.removeprefix("fs1.")
    said = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))

    assert said["url"] == TOKEN.url
    assert b64decode(said["ca"]) == TOKEN.ca
    assert read_token(f" {word}\n") == TOKEN


@given(st.text(max_size=60))
def test_any_other_text_is_refused_as_no_token(text: str) -> None:
    for word in (text, "fs1." + text, write_token(TOKEN)[:-5] + text[:2]):
        with suppress(PermanentError):
            assert isinstance(read_token(word), EnrolmentToken)


def test_a_token_too_long_to_be_one_is_not_decoded() -> None:
    with pytest.raises(PermanentError):
        read_token("fs1." + "A" * 5000)


def test_secrets_are_never_the_same_and_stored_as_their_digest() -> None:
    assert new_secret() != new_secret()
    assert len(new_secret()) >= 43
    assert new_bearer().startswith("fsa1.")
    assert digest("s") == sha256(b"s").hexdigest()
    assert digest("\ud800")
