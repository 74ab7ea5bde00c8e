"""Signatures of playbooks: made as CACAO 2.0 writes them, and good for exactly what was signed."""

import hashlib
import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from collector.plans.cacao import identifier
from collector.plans.cacao_import import import_playbook, playbook_of
from collector.plans.jss import Signer, read_signer, read_trusted, sign, spki, verify
from tests.collector.plans.test_cacao_export import validator

GOLDEN = Path(__file__).parents[2] / "golden" / "cacao" / "playbooks" / "manual-playbook.json"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
ED = ed25519.Ed25519PrivateKey.generate()
KEYS: list[Signer] = [
    ED,
    *(ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())),
]


def playbook() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(GOLDEN.read_text())
    return document


def signed(document: dict[str, Any], key: Signer = ED, name: str = "city") -> dict[str, Any]:
    number = f"{name:0>8.8}".encode().hex()[:8]
    return sign(
        document,
        key,
        identifier=f"jss--{number}-0000-4000-8000-000000000000",
        created_by=identifier("identity", name),
        signee=name,
        now=NOW,
    )


def states(document: dict[str, Any], *trusted: Signer, now: datetime = NOW) -> list[str]:
    keys = [spki(key.public_key()) for key in trusted]
    return [verdict.state for verdict in verify(document, trusted=keys, now=now)]


@pytest.mark.parametrize("key", KEYS, ids=["Ed25519", "ES256", "ES384", "ES512"])
def test_a_signature_is_good_by_its_key_and_valid_by_the_schema(key: Signer) -> None:
    document = signed(playbook(), key)

    assert states(document, key) == ["good"]
    assert states(document) == ["stranger"]
    assert states(document, ED) == (["good"] if key is ED else ["stranger"])
    assert list(validator().iter_errors(document)) == []


def test_what_is_signed_is_the_hash_of_the_canonical_playbook_with_the_bare_signature() -> None:
    document = signed(playbook())
    (signature,) = document["signatures"]
    value = urlsafe_b64decode(signature.pop("value") + "==")

    ED.public_key().verify(value, hashlib.sha256(rfc8785.dumps(document)).digest())


def test_parties_sign_side_by_side() -> None:
    once = signed(playbook(), KEYS[0], "city")
    twice = signed(once, KEYS[1], "province")

    assert states(twice, KEYS[0], KEYS[1]) == ["good", "good"]
    assert states({**twice, "signatures": twice["signatures"][::-1]}, *KEYS[:2]) == ["good", "good"]


@given(st.data())
def test_any_change_of_the_playbook_or_of_the_signature_is_found(data: st.DataObject) -> None:
    document = json.loads(json.dumps(signed(playbook())))
    signature = document["signatures"][0]
    part = data.draw(st.sampled_from([document, signature, *document["workflow"].values()]))
    field = data.draw(st.sampled_from(sorted(set(part) - {"signatures", "workflow"})))
    before = part[field]
    part[field] = data.draw(
        st.sampled_from(["", "x", 7, None, [], [before]]).filter(lambda new: new != before)
    )

    assert "good" not in states(document, ED)


def ed448_key() -> tuple[Any, str, Callable[[bytes], bytes]]:
    key = ed448.Ed448PrivateKey.generate()
    return key.public_key(), "Ed448", key.sign


def rsa_key(algorithm: str, bits: int = 2048) -> tuple[Any, str, Callable[[bytes], bytes]]:
    key = rsa.generate_private_key(65537, bits)
    salted = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    way = salted if algorithm == "PS256" else padding.PKCS1v15()
    return key.public_key(), algorithm, lambda signed: key.sign(signed, way, hashes.SHA256())


@pytest.mark.parametrize(
    ("made", "state"),
    [
        (ed448_key, "stranger"),
        (lambda: rsa_key("RS256"), "stranger"),
        (lambda: rsa_key("PS256"), "stranger"),
        (lambda: rsa_key("RS256", 1024), "unverified"),
    ],
)
def test_what_others_sign_with_is_checked_too(made: Callable[[], Any], state: str) -> None:
    public, algorithm, signing = made()
    bare = signed(playbook())
    signature = {
        **bare["signatures"][0],
        "algorithm": algorithm,
        "public_key": b64encode(spki(public)).decode(),
    }
    del signature["value"]
    digest = hashlib.sha256(rfc8785.dumps({**bare, "signatures": [signature]})).digest()
    signature["value"] = urlsafe_b64encode(signing(digest)).rstrip(b"=").decode()

    assert states({**bare, "signatures": [signature]}) == [state]


def certificate(key: ed25519.Ed25519PrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "city")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return built.sign(key, None)


def resigned(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a signature
    """A playbook signed with other fields in its signature; None takes one away."""
    bare = signed(playbook())
    signature = {**bare["signatures"][0], **changes}
    signature = {name: value for name, value in signature.items() if value is not None and name != "value"}
    digest = hashlib.sha256(rfc8785.dumps({**bare, "signatures": [signature]})).digest()
    value = urlsafe_b64encode(ED.sign(digest)).decode()
    return {**bare, "signatures": [{**signature, "value": value}]}


def test_a_key_may_come_as_a_certificate_or_by_its_thumbprint() -> None:
    der = certificate(ED).public_bytes(serialization.Encoding.DER)
    chain = resigned(public_key=None, public_cert_chain=[b64encode(der).decode()])
    print_ = urlsafe_b64encode(hashlib.sha256(spki(ED.public_key())).digest()).rstrip(b"=").decode()
    thumb = resigned(public_key=None, thumbprint=print_)
    url = resigned(public_key=None, cert_url="https://ca.gov.example/city.pem")

    assert states(chain, ED) == ["good"]
    assert (states(thumb, ED), states(thumb)) == (["good"], ["unverified"])
    assert states(url, ED) == ["unverified"], "nothing is fetched"


def test_a_signature_holds_for_its_time_until_it_is_revoked() -> None:
    limited = resigned(valid_from="2026-03-01T00:00:00.000Z", valid_until="2026-03-03T00:00:00.000Z")

    assert states(limited, ED) == ["good"]
    assert states(limited, ED, now=NOW + timedelta(days=1)) == ["out_of_time"]
    assert states(limited, ED, now=NOW - timedelta(days=2)) == ["out_of_time"]
    assert states(resigned(valid_until="whenever"), ED) == ["out_of_time"]
    assert states(resigned(revoked=True), ED) == ["revoked"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"type": "jsf"}, "type: found 'jsf'"),
        ({"related_version": "2020-01-01T00:00:00.000Z"}, "related_version: found '2020"),
        ({"hash_algorithm": "md5"}, "hash_algorithm: found 'md5'"),
        ({"algorithm": "ES256"}, "which is not its key's"),
        ({"algorithm": "XMSS-SHA2_10_256"}, "which is not its key's"),
        ({"public_key": "!"}, "cannot be read"),
        ({"public_cert_chain": ["AAAA"], "public_key": None}, "cannot be read"),
        ({"value": "é"}, "expected base64url"),
    ],
)
def test_what_is_wrong_with_a_signature_is_said(changes: dict[str, Any], why: str) -> None:
    document = resigned(**changes)
    document["signatures"][0] |= {"value": changes["value"]} if "value" in changes else {}

    (verdict,) = verify(document, trusted=[], now=NOW)

    assert why in verdict.why
    assert verdict.state in {"bad", "unverified"}


@pytest.mark.parametrize("signatures", [7, {}, [7], [None], [{}], [{"type": "jss"}] * 51, [[[]]]])
def test_nonsense_is_a_verdict_and_no_fault(signatures: Any) -> None:  # noqa: ANN401 - foreign JSON
    verdicts = verify({**playbook(), "signatures": signatures}, trusted=[], now=NOW)
    assert all(verdict.state == "bad" for verdict in verdicts)


def test_a_number_that_no_canonical_form_has_is_told() -> None:
    document = {**signed(playbook()), "priority": 2**60}
    (verdict,) = verify(document, trusted=[], now=NOW)
    assert (verdict.state, "no canonical form" in verdict.why) == ("bad", True)
    with pytest.raises(ValueError, match="id and modified"):
        signed({"type": "playbook"})


def test_an_import_takes_no_playbook_that_was_changed_after_it_was_signed() -> None:
    document = signed(playbook())
    good = import_playbook(json.dumps(document), "p.json", trusted=[spki(ED.public_key())], now=NOW)
    stranger = import_playbook(json.dumps(document), "p.json", now=NOW)
    broken = import_playbook(json.dumps({**document, "name": "another"}), "p.json", now=NOW)

    assert good.plan is not None
    assert not [finding for finding in good.findings if "signature" in str(finding)]
    assert [finding.severity for finding in stranger.findings if "stranger" in str(finding)] == ["warning"]
    assert (broken.plan, "$.signatures[" in str(broken.findings[0])) == (None, True)
    assert playbook_of(good.plan, created_by=identifier("identity", "u"), now=NOW) == document, "as it came"


def test_a_changed_plan_goes_out_without_the_signatures_of_what_it_was() -> None:
    taken = import_playbook(json.dumps(signed(playbook())), "p.json")
    assert taken.plan is not None
    changed = replace(taken.plan, version="2")

    assert "signatures" not in playbook_of(changed, created_by=identifier("identity", "u"), now=NOW)


def test_keys_are_read_from_pem_files() -> None:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    private = ED.private_bytes(*form, serialization.NoEncryption())
    public = ED.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    locked = ED.private_bytes(*form, serialization.BestAvailableEncryption(b"secret"))

    assert read_signer(private).public_key() == ED.public_key()
    assert read_trusted(public) == spki(ED.public_key())
    assert read_trusted(certificate(ED).public_bytes(serialization.Encoding.PEM)) == spki(ED.public_key())
    for nonsense in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", public, locked):
        with pytest.raises(ValueError, match="no PEM private key"):
            read_signer(nonsense)
    with pytest.raises(ValueError, match="no PEM certificate"):
        read_trusted(b"nonsense")
