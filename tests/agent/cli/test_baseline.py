"""After a deployment a person says that the new content is what shall be there."""

import asyncio
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from agent.cli import main
from agent.cli.loading import load_file
from agent.clock import host_clock
from agent.sources import accept, build
from agent.sources.pages.manifest import verify


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "index.html").write_text("old")
    file = tmp_path / "agent.yaml"
    off = ", ".join(f"{name}: {{enabled: false}}" for name in ("asset", "exits", "sockets", "logins"))
    root = tmp_path / "www"
    file.write_text(f"state_dir: state\nsources: {{{off}, files: {{roots: [{{path: {root}}}]}}}}\n")
    return file


def changed(config: Path) -> list[str]:
    """The paths that a look of the files source finds changed."""
    files = next(
        one for one in build(load_file(config).sources, config.parent / "state") if one.name == "files"
    )
    reading = asyncio.run(files.once(host_clock().now()))
    return [item["path"] for one in reading.observations for item in one.body["evidence"]]


def test_what_was_deployed_is_no_tampering_once_a_person_has_accepted_it(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [root] = load_file(config).sources.files.roots
    accept(root, config.parent / "state")
    (config.parent / "www" / "index.html").write_text("new")
    assert changed(config) == ["index.html"]

    words = ["baseline", "accept", str(config.parent / "www"), "--config", str(config), "--lang", "en"]
    assert main(words) == 0

    assert changed(config) == []
    assert capsys.readouterr().out == f"what {config.parent}/www holds now is accepted: 1 files.\n"


def test_a_folder_that_nobody_watches_is_refused_and_the_watched_ones_are_named(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["baseline", "accept", "/srv", "--config", str(config), "--lang", "en"]) == 1
    assert f"/srv is none of sources.files.roots in the settings (there: {config.parent}/www)" in (
        capsys.readouterr().err
    )


def test_a_root_that_is_gone_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "www").rename(config.parent / "gone")

    assert (
        main(["baseline", "accept", str(config.parent / "www"), "--config", str(config), "--lang", "zh"]) == 1
    )
    assert "无法认可" in capsys.readouterr().err


def test_nothing_to_accept_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["baseline"])
    assert ended.value.code == 2


def test_a_site_is_signed_where_it_is_built(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("new")
    (tmp_path / "site" / "build.log").write_text("x")
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "site.key").write_bytes(pem)
    words = ["baseline", "sign", f"{tmp_path}/site", "--key", f"{tmp_path}/site.key", "--exclude", "*.log"]
    assert main([*words, "--out", f"{tmp_path}/m", "--lang", "en"]) == 0

    said = capsys.readouterr().out
    assert f"signed {tmp_path}/site: 1 files" in said
    assert verify((tmp_path / "m").read_bytes(), said.split()[-1]).files.keys() == {"index.html"}


@pytest.mark.parametrize("content", ["no key", None])
def test_a_key_that_is_none_is_told_with_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    if content:
        (tmp_path / "site.key").write_text(content)
    words = ["baseline", "sign", str(tmp_path), "--key", f"{tmp_path}/site.key", "--out", f"{tmp_path}/m"]

    assert main([*words, "--lang", "en"]) == 1
    assert "openssl genpkey -algorithm ed25519" in capsys.readouterr().err
