"""The key that signs orders."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.signatures import SignatureError, Signatures
from collector.trust.ca import Authority
from collector.trust.signing import Signer

NOW = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.at(tmp_path, "city", NOW)


def test_a_node_that_trusts_the_authority_believes_what_was_signed(
    tmp_path: Path, authority: Authority
) -> None:
    signed = Signer(tmp_path, authority).sign("o1", "order", b'{"id":"o1"}', NOW)

    assert Signatures(authority.trusted.encode()).open(signed, "order", NOW) == b'{"id":"o1"}'


def test_a_second_process_signs_with_the_same_key(tmp_path: Path, authority: Authority) -> None:
    first = Signer(tmp_path, authority).sign("o1", "order", b"x", NOW)
    second = Signer(tmp_path, authority).sign("o1", "order", b"x", NOW + timedelta(days=59))

    assert first.certificate == second.certificate
    assert (tmp_path / "signer.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("file", ["signer.key", "signer.pem"])
def test_an_aged_or_damaged_pair_is_made_anew(tmp_path: Path, authority: Authority, file: str) -> None:
    signer = Signer(tmp_path, authority)
    first = signer.sign("o1", "order", b"x", NOW)
    later = NOW + timedelta(days=61)
    aged = signer.sign("o1", "order", b"x", later)
    (tmp_path / file).write_text("rubbish")
    mended = Signer(tmp_path, authority).sign("o1", "order", b"x", later)

    assert len({first.certificate, aged.certificate, mended.certificate}) == 3
    Signatures(authority.trusted.encode()).open(mended, "order", later)


def test_another_authority_has_another_signer(tmp_path: Path, authority: Authority) -> None:
    Signer(tmp_path, authority).sign("o1", "order", b"x", NOW)
    (tmp_path / "ca.key").unlink()
    (tmp_path / "ca.pem").unlink()
    other = Authority.at(tmp_path, "city", NOW)
    signed = Signer(tmp_path, other).sign("o1", "order", b"x", NOW)

    Signatures(other.trusted.encode()).open(signed, "order", NOW)
    with pytest.raises(SignatureError):
        Signatures(authority.trusted.encode()).open(signed, "order", NOW)
