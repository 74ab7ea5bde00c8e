"""`plan sign` and `plan verify`, as people run them."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from collector.cli import main

PLAYBOOK = Path(__file__).parents[2] / "golden" / "cacao" / "playbooks" / "manual-playbook.json"


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private and a public key, as files."""
    key = ed25519.Ed25519PrivateKey.generate()
    private, public = tmp_path / "key.pem", tmp_path / "public.pem"
    plain = serialization.NoEncryption()
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form))
    return private, public


def test_a_signed_playbook_is_verified_and_taken_in(
    tmp_path: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = keys
    assert main(["plan", "sign", str(PLAYBOOK), "--key", str(private), "--signee", "示例市"]) == 0
    file = tmp_path / "signed.json"
    file.write_text(capsys.readouterr().out)

    assert main(["plan", "verify", str(file)]) == 1, "nobody here trusts the key"
    assert "不在受信之列" in capsys.readouterr().err
    assert main(["plan", "verify", str(file), "--trust", str(public), "--json", "--lang", "en"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["signatures"][0]["state"] == "good"
    assert "good, by a trusted key" in told.err
    assert main(["plan", "import", str(file), "--trust", str(public)]) == 0
    assert "signature" not in capsys.readouterr().err

    file.write_text(file.read_text().replace("playbook", "play book", 3))
    assert main(["plan", "verify", str(file), "--trust", str(public)]) == 1
    assert main(["plan", "import", str(file)]) == 1


def test_what_cannot_be_signed_or_verified_is_told(
    tmp_path: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = keys
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    bare = tmp_path / "bare.json"
    bare.write_text("{}")

    for arguments, told in (
        (["verify", str(PLAYBOOK)], "没有签名"),
        (["verify", str(broken)], "no JSON"),
        (["verify", str(tmp_path / "none.json")], "no readable file"),
        (["sign", str(bare), "--key", str(private), "--signee", "a"], "id and modified"),
        (["sign", str(broken), "--key", str(private), "--signee", "a"], "no JSON"),
        (["sign", str(PLAYBOOK), "--key", str(public), "--signee", "a"], "no PEM private key"),
        (["verify", str(PLAYBOOK), "--trust", str(private)], "no PEM certificate"),
        (["verify", str(PLAYBOOK), "--trust", str(tmp_path / "no.pem")], "No such file"),
    ):
        assert main(["plan", *arguments]) == 1, arguments
        assert told in capsys.readouterr().err, arguments
