from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import host_clock
from agent.sources.pages.baseline import Baseline
from agent.sources.pages.comparison import Comparison
from agent.sources.pages.manifest import Manifest, ManifestError, of_site, public_text, sign, take_up, verify
from agent.sources.pages.webroot import WebRoot, accept

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


@pytest.fixture
def root(tmp_path: Path) -> WebRoot:
    """A site whose first release was accepted."""
    (tmp_path / "www").mkdir()
    (tmp_path / "www/index.html").write_text("release 1")
    (tmp_path / "www/old.html").write_text("old")
    made = WebRoot(
        path=f"{tmp_path}/www", manifest=f"{tmp_path}/m", manifest_key=public_text(KEY), exclude=("*.log",)
    )
    accept(made, tmp_path / "state")
    return made


def baseline(root: WebRoot) -> Baseline:
    return Baseline(Path(root.path), Path(root.path).parent / "state")


def changed(root: WebRoot) -> dict[str, str]:
    look = Comparison(root, baseline(root), host_clock().now()).look()
    return {path: change.change for path, change in look.seen.items() if change}


def release(root: WebRoot, version: int, key: Ed25519PrivateKey = KEY) -> None:
    """Sign what the root holds now."""
    Path(root.manifest).write_bytes(sign(of_site(root, version), key))


def test_what_is_signed_counts_and_what_is_missing_or_other_is_tampering(root: WebRoot) -> None:
    site = Path(root.path)
    (site / "index.html").write_text("release 2")
    (site / "new.html").write_text("new")
    (site / "old.html").unlink()
    release(root, 2)
    assert set(changed(root)) == {"index.html", "new.html", "old.html"}
    assert take_up(root, baseline(root))
    assert changed(root) == {}
    assert not take_up(root, baseline(root))
    (site / "new.html").write_text("0wned")

    assert changed(root) == {"new.html": "modified"}


def test_a_manifest_that_comes_before_its_content_waits_for_it(root: WebRoot) -> None:
    site = Path(root.path)
    (site / "index.html").write_text("release 2")
    release(root, 2)
    (site / "index.html").write_text("release 1")
    assert take_up(root, baseline(root))
    assert changed(root) == {"index.html": "modified"}
    (site / "index.html").write_text("release 2")

    assert changed(root) == {}


def test_an_older_manifest_brings_no_old_page_back(root: WebRoot) -> None:
    release(root, 3)
    take_up(root, baseline(root))
    release(root, 2)

    with pytest.raises(ManifestError, match="version 2 is older than the accepted one, 3"):
        take_up(root, baseline(root))


def test_a_manifest_of_another_key_is_refused_and_changes_nothing(root: WebRoot) -> None:
    (Path(root.path) / "index.html").write_text("0wned")
    release(root, 9, OTHER)

    with pytest.raises(ManifestError, match="not signed by the key of the settings"):
        take_up(root, baseline(root))
    assert changed(root) == {"index.html": "modified"}


def test_without_a_manifest_nothing_is_taken_up(root: WebRoot) -> None:
    assert not take_up(root, baseline(root))


def test_a_manifest_needs_a_key() -> None:
    with pytest.raises(ValueError, match="manifest and manifest_key together"):
        WebRoot(path="/srv", manifest="/srv.manifest")


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ManifestError):
        verify(data, public_text(KEY))


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_no_changed_byte_passes_for_what_was_signed(place: int, byte: int) -> None:
    signed = bytearray(sign(Manifest(1, {"index.html": ("0" * 64, 3)}), KEY))
    before = bytes(signed)
    signed[place % len(signed)] = byte
    with suppress(ManifestError):
        found = verify(bytes(signed), public_text(KEY))
        assert found == verify(before, public_text(KEY))
