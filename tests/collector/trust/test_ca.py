"""The collector's certificate authority."""

import multiprocessing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from collector.errors import PermanentError
from collector.trust.ca import Authority, ServerCertificate, node_of
from collector.trust.rotation import retire, rotate, switch

NOW = datetime(2026, 3, 2, 4, 0, 0, tzinfo=UTC)


def request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "root")])
    names = x509.SubjectAlternativeName([x509.DNSName("collector.example")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name).add_extension(names, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_the_authority_is_made_once_and_its_key_is_its_owners_alone(tmp_path: Path) -> None:
    first, second = Authority.at(tmp_path, "city", NOW), Authority.at(tmp_path, "city", NOW)

    assert first.der == second.der
    assert (tmp_path / "ca.key").stat().st_mode & 0o777 == 0o600
    assert first.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def _make(folder: Path) -> bytes:
    return Authority.at(folder, "city", NOW).der


def test_processes_that_start_at_once_make_one_authority(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        made = pool.map(_make, [tmp_path] * 4)
    assert len(set(made)) == 1


def test_a_node_certificate_has_the_key_of_the_request_and_none_of_its_names(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    issued = Authority.at(tmp_path, "city", NOW).sign_node(request(key), "node-7", NOW)

    certificate = x509.load_pem_x509_certificate(issued.pem.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert node_of(certificate) == "node-7"
    assert [name.value for name in names] == [
        "urn:fengsui:node:node-7",
        "node-7.node.fengsui",
        "node.fengsui",
    ]
    assert certificate.public_key() == key.public_key()
    assert certificate.not_valid_before_utc == NOW - timedelta(hours=1)
    assert certificate.not_valid_after_utc == issued.expires == NOW + timedelta(days=90)
    assert issued.serial == f"{certificate.serial_number:x}"
    certificate.verify_directly_issued_by(Authority.at(tmp_path, "city", NOW).certificate)


@pytest.mark.parametrize(
    ("name", "good"),
    [("node.fengsui", True), ("node-7.node.fengsui", True)]
    + [(name, False) for name in ("node-8.node.fengsui", "collector.example", "10.20.0.7")],
)
def test_who_scrapes_a_node_can_check_that_it_is_enrolled_and_which_it_is(
    tmp_path: Path,
    name: str,
    good: bool,  # noqa: FBT001 - a column of the table
) -> None:
    authority = Authority.at(tmp_path, "city", NOW)
    issued = authority.sign_node(request(ec.generate_private_key(ec.SECP256R1())), "node-7", NOW)
    trusted = PolicyBuilder().store(Store([authority.certificate])).time(NOW)
    verifier = trusted.build_server_verifier(x509.DNSName(name))

    certificate = x509.load_pem_x509_certificate(issued.pem.encode())
    if good:
        assert verifier.verify(certificate, [])[0] == certificate
    else:
        with pytest.raises(VerificationError):
            verifier.verify(certificate, [])


def test_what_is_no_good_request_is_refused_by_what_is_wrong_with_it(tmp_path: Path) -> None:
    authority = Authority.at(tmp_path, "city", NOW)
    whole = request(ec.generate_private_key(ec.SECP256R1()))
    lines = whole.splitlines()
    lines[1] = lines[1][:40] + ("A" if lines[1][40] != "A" else "B") + lines[1][41:]
    weak = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for text, why in (("no pem", "PKCS #10"), ("\n".join(lines), "csr"), (request(weak), "P-256")):
        with pytest.raises(PermanentError, match=why):
            authority.sign_node(text, "n", NOW)


def test_files_that_do_not_belong_together_are_told(tmp_path: Path) -> None:
    Authority.at(tmp_path, "city", NOW)
    (tmp_path / "other").mkdir()
    Authority.at(tmp_path / "other", "city", NOW)
    (tmp_path / "other" / "ca.key").replace(tmp_path / "ca.key")
    with pytest.raises(PermanentError, match="belongs to another key"):
        Authority.at(tmp_path, "city", NOW)
    (tmp_path / "ca.pem").write_text("damaged")
    with pytest.raises(PermanentError, match="can't be used"):
        Authority.at(tmp_path, "city", NOW)


def test_a_previous_authority_stays_trusted_beside_the_new_one(tmp_path: Path) -> None:
    old = Authority.at(tmp_path, "city", NOW)
    (tmp_path / "ca.pem").rename(tmp_path / "ca-previous.pem")
    (tmp_path / "ca.key").unlink()

    new = Authority.at(tmp_path, "city", NOW)
    trusted = x509.load_pem_x509_certificates(new.trusted.encode())
    assert trusted == [new.certificate, old.certificate]


def test_the_listeners_certificate_names_it_and_is_renewed_before_it_ends(tmp_path: Path) -> None:
    authority = Authority.at(tmp_path, "city", NOW)
    certificate = ServerCertificate(tmp_path, authority, ["collector.example", "10.0.0.1"])

    assert certificate.ensure(NOW)
    assert not certificate.ensure(NOW + timedelta(days=59))
    made = x509.load_pem_x509_certificate(certificate.certificate_file.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [name.value for name in names] == ["collector.example", ip_address("10.0.0.1")]
    assert certificate.ensure(NOW + timedelta(days=61))
    assert ServerCertificate(tmp_path, authority, ["other.example"]).ensure(NOW + timedelta(days=61))
    assert certificate.key_file.stat().st_mode & 0o777 == 0o600


def test_the_listener_shows_what_the_old_authority_signed_until_that_is_retired(tmp_path: Path) -> None:
    """A node that slept through the first step trusts the old one alone."""

    def shown(now: datetime) -> x509.Certificate:
        certificate = ServerCertificate(tmp_path, Authority.at(tmp_path, "city", now), ["collector.example"])
        certificate.ensure(now)
        return x509.load_pem_x509_certificate(certificate.certificate_file.read_bytes())

    old = Authority.at(tmp_path, "city", NOW).certificate
    first = shown(NOW)
    later = NOW + timedelta(days=40)
    rotate(tmp_path, "city", later)
    fresh = shown(later)
    assert fresh != first
    fresh.verify_directly_issued_by(old)
    switch(tmp_path)
    new = Authority.at(tmp_path, "city", later).certificate
    assert shown(later + timedelta(days=59)) == fresh
    shown(later + timedelta(days=61)).verify_directly_issued_by(new)

    (tmp_path / "server.pem").write_bytes(fresh.public_bytes(serialization.Encoding.PEM))
    retire(tmp_path)
    shown(later).verify_directly_issued_by(new)
