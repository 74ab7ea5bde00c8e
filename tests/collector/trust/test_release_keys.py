"""The files that sign a mirror's releases."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from collector.trust.release_keys import Keys, ReleasesError


def test_a_new_key_takes_the_first_number_that_nobody_has(tmp_path: Path) -> None:
    li, wang = Keys(tmp_path / "li"), Keys(tmp_path / "wang")
    first, _ = li.make("targets")
    second, _ = wang.joined(tmp_path / "li").make("targets")
    third, signer = li.joined(tmp_path / "wang").make("targets")

    assert (first.name, second.name, third.name) == ("targets-1.pem", "targets-2.pem", "targets-3.pem")
    assert third.parent == tmp_path / "wang"
    assert third.stat().st_mode & 0o077 == 0
    assert signer.public_key.keyid in {one.public_key.keyid for one in wang.of("targets")}
    assert li.of("root") == []


def test_the_online_key_is_never_written_over(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    path, _ = keys.make("online")
    before = path.read_bytes()
    with pytest.raises(ReleasesError, match=r"online\.pem: stands there already"):
        keys.make("online")
    assert path.read_bytes() == before


def test_a_file_that_is_no_key_of_ours_is_named(tmp_path: Path) -> None:
    path = tmp_path / "root-1.pem"
    path.write_bytes(b"nonsense")
    with pytest.raises(ReleasesError, match=r"root-1\.pem: .*--password-file"):
        Keys(tmp_path).of("root")
    other = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(ReleasesError, match="a key of another kind, expected Ed25519"):
        Keys(tmp_path).of("root")


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ReleasesError, match=r"Not a directory|File exists"):
        Keys(tmp_path / "file" / "keys").make("root")
