"""A node believes its own collector's signature for one purpose, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.signatures import SignatureError, Signatures
from tests.agent.conftest import Authority
from wire.messages import Order, Signed
from wire.signed import statement

if TYPE_CHECKING:
    from pathlib import Path

    from wire.messages import Purpose

NOW = datetime.now(UTC)  # noqa: TID251 - certificates of the tests are of now
ORDER = Order(
    id="o1",
    node="node-1",
    kind="collect_evidence",
    params={},
    issued_at=NOW,
    deadline=NOW + timedelta(hours=1),
)


def test_the_order_of_the_own_collector_is_opened(authority: Authority) -> None:
    signed = authority.signed(ORDER)

    body = Signatures(authority.pem().encode()).open(signed, "order", NOW)

    assert msgspec.json.decode(body, type=Order) == ORDER


def test_during_a_change_of_authority_both_sign(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "next authority")
    signatures = Signatures((authority.pem() + other.pem()).encode())

    assert [signatures.open(one.signed(ORDER), "order", NOW) for one in (authority, other)]


def test_another_authority_of_the_same_name_does_not_sign(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path)

    with pytest.raises(SignatureError, match="not by an authority"):
        Signatures(authority.pem().encode()).open(stranger.signed(ORDER), "order", NOW)


@pytest.mark.parametrize("name", ["urn:fengsui:node:node-1", "urn:fengsui:signer:x"])
def test_a_certificate_for_another_name_does_not_sign(authority: Authority, name: str) -> None:
    authority._signer = authority.signer(name)

    with pytest.raises(SignatureError, match="may sign"):
        Signatures(authority.pem().encode()).open(authority.signed(ORDER), "order", NOW)


def test_what_was_signed_for_another_purpose_is_refused(authority: Authority) -> None:
    signed = authority.signed(ORDER)

    with pytest.raises(SignatureError, match="expected 'program'"):
        Signatures(authority.pem().encode()).open(signed, "program", NOW)
    relabelled = msgspec.structs.replace(signed, purpose="program")
    with pytest.raises(SignatureError, match="does not fit"):
        Signatures(authority.pem().encode()).open(relabelled, "program", NOW)


@pytest.mark.parametrize("days", [-2, 91])
def test_a_signer_out_of_its_time_is_refused_by_the_collectors_clock(authority: Authority, days: int) -> None:
    with pytest.raises(SignatureError, match="out of its time"):
        Signatures(authority.pem().encode()).open(
            authority.signed(ORDER), "order", NOW + timedelta(days=days)
        )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=0), bit=st.integers(0, 7), part=st.sampled_from(["body", "signature"]))
def test_no_flipped_bit_is_believed(authority: Authority, place: int, bit: int, part: str) -> None:
    signed = authority.signed(ORDER)
    content = bytearray(getattr(signed, part))
    content[place % len(content)] ^= 1 << bit

    with pytest.raises(SignatureError):
        Signatures(authority.pem().encode()).open(
            msgspec.structs.replace(signed, **{part: bytes(content)}), "order", NOW
        )


@given(
    certificate=st.text(max_size=200), signature=st.binary(max_size=80), purpose=st.sampled_from(["order"])
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rubbish_is_refused_and_breaks_nothing(
    authority: Authority, certificate: str, signature: bytes, purpose: Purpose
) -> None:
    signed = Signed(id="o1", purpose=purpose, body=b"{}", certificate=certificate, signature=signature)

    with pytest.raises(SignatureError):
        Signatures(authority.pem().encode()).open(signed, "order", NOW)


def test_a_key_of_another_kind_does_not_sign(authority: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    signed = authority.signed(ORDER)
    forged = msgspec.structs.replace(
        signed, signature=key.sign(statement("order", signed.body), ec.ECDSA(hashes.SHA256()))
    )

    with pytest.raises(SignatureError, match="does not fit"):
        Signatures(authority.pem().encode()).open(forged, "order", NOW)
