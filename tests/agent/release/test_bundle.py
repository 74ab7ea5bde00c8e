"""What may lie in a bundle, and what it becomes."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from agent.release import BundleError, install
from agent.release.bundle import unpack

from .conftest import bundle, pack


def test_a_bundle_becomes_a_program_of_its_own(tmp_path: Path) -> None:
    slot = tmp_path / "b"
    slot.mkdir()
    install(bundle(tmp_path, "0.2.0"), slot, 10_000_000)

    program = slot / "bin" / "fengsui-agent"
    assert subprocess.run([program, "check-config", "x"], check=False).returncode == 0
    assert program.read_text().startswith(f"#!{slot}/bin/python")
    assert [path.name for path in tmp_path.glob("bundle-*")] == []


def test_a_wheel_that_is_not_the_listed_one_is_not_installed(tmp_path: Path) -> None:
    good = bundle(tmp_path, "0.2.0")
    with tarfile.open(good) as archive:
        members = {
            name: content.read() for name in archive.getnames() if (content := archive.extractfile(name))
        }
    members["requirements.txt"] = b"fengsui==0.2.0 --hash=sha256:" + b"0" * 64 + b"\n"
    slot = tmp_path / "b"
    slot.mkdir()
    with pytest.raises(BundleError, match=r"(?i)hash"):
        install(pack(tmp_path / "other.tar", members), slot, 10_000_000)


@pytest.mark.parametrize(
    "name",
    [
        "../evil.whl",
        "/etc/cron.d/evil",
        "wheels/../../evil.whl",
        "wheels/setup.py",
        "setup.py",
        "wheels/x.tar.gz",
        "wheels/a b.whl",
        "wheels/.whl",
        "wheels/sub/x.whl",
        "requirements.txt/x",
        "wheels/" + "x" * 300 + ".whl",
    ],
)
def test_nothing_but_wheels_and_their_list_may_be_in_it(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "into"
    folder.mkdir()
    with pytest.raises(BundleError, match="holds"):
        unpack(pack(tmp_path / "evil.tar", {name: b"x"}), folder, 1000)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "evil.tar"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
def test_no_link_folder_or_device_is_made(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("wheels/x.whl")
    member.type, member.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "evil.tar", "w:") as archive:
        archive.addfile(member)
    (tmp_path / "into").mkdir()
    with pytest.raises(BundleError, match="holds"):
        unpack(tmp_path / "evil.tar", tmp_path / "into", 1000)


def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "twice.tar", "w:") as archive:
        for content in (b"one", b"two"):
            member = tarfile.TarInfo("requirements.txt")
            member.size = 3
            archive.addfile(member, io.BytesIO(content))
    (tmp_path / "into").mkdir()
    with pytest.raises(BundleError, match="each once"):
        unpack(tmp_path / "twice.tar", tmp_path / "into", 1000)


def test_more_than_was_agreed_is_refused_before_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "into").mkdir()
    members = {"requirements.txt": b"x" * 600, "wheels/a.whl": b"x" * 600}
    with pytest.raises(BundleError, match="more than 1000 bytes"):
        unpack(pack(tmp_path / "big.tar", members), tmp_path / "into", 1000)
    assert not (tmp_path / "into" / "wheels" / "a.whl").exists()


@pytest.mark.parametrize("content", [b"", b"no tar", b"\x1f\x8b\x08" + b"x" * 600, b"x" * 2048])
def test_what_is_no_tar_file_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.tar").write_bytes(content)
    (tmp_path / "into").mkdir()
    with pytest.raises(BundleError, match="no tar file"):
        unpack(tmp_path / "odd.tar", tmp_path / "into", 1000)


def test_what_an_update_that_was_killed_left_behind_goes_with_the_next(tmp_path: Path) -> None:
    """As much as a bundle each time: a node whose power goes at night would fill its disk."""
    (tmp_path / "bundle-killed" / "wheels").mkdir(parents=True)
    slot = tmp_path / "b"
    slot.mkdir()

    install(bundle(tmp_path, "0.2.0"), slot, 10_000_000)

    assert [path.name for path in tmp_path.glob("bundle-*")] == []
