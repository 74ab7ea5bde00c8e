"""A signed mirror, a folder of releases, and a stand-in for the agent that is installed in seconds."""

import hashlib
import io
import tarfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.release import Release, Slots
from agent.release.mirror import Mirror
from collector.trust.release_keys import Keys
from collector.trust.releases import Lives, Releases

NOW = datetime.now(UTC)  # noqa: TID251 - TUF's client looks at the real clock

# What an agent is to the updater: it takes settings or not, and says when a collector has answered it.
PROGRAM = """
import sys

def main():
    if sys.argv[1] == "check-config":
        sys.exit(0 if {takes_settings!r} else "settings.heartbeat_seconds: found 1, expected 2")
"""


def wheel(version: str, *, takes_settings: bool = True) -> bytes:
    """Return a wheel named fengsui with a command fengsui-agent."""
    files = {
        "standin.py": PROGRAM.format(takes_settings=takes_settings),
        "INFO/METADATA": f"Metadata-Version: 2.1\nName: fengsui\nVersion: {version}\n",
        "INFO/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "INFO/entry_points.txt": "[console_scripts]\nfengsui-agent = standin:main\n",
        "INFO/RECORD": "",
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("INFO", f"fengsui-{version}.dist-info"), text)
    return made.getvalue()


def pack(path: Path, members: dict[str, bytes]) -> Path:
    """Write a tar file."""
    with tarfile.open(path, "w:") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def bundle(folder: Path, version: str, *, takes_settings: bool = True) -> Path:
    """Return a bundle of the stand-in."""
    made = wheel(version, takes_settings=takes_settings)
    listed = f"fengsui=={version} --hash=sha256:{hashlib.sha256(made).hexdigest()}\n"
    name = f"wheels/fengsui-{version}-py3-none-any.whl"
    return pack(folder / f"{version}.tar", {"requirements.txt": listed.encode(), name: made})


class Signer:
    """Whoever signs releases, with a mirror of theirs."""

    def __init__(self, folder: Path, *, threshold: int = 2) -> None:
        self.folder = folder / "mirror"
        self.keys = Keys(folder / "keys")
        self._made = folder
        self.root = self.at(NOW).begin(self.keys, makers=2, threshold=threshold)

    def at(self, now: datetime, lives: Lives | None = None) -> Releases:
        """Return the mirror as it is worked on at a time."""
        return Releases(self.folder, now, lives)

    def offer(self, version: str, *, takes_settings: bool = True) -> Path:
        """Sign a bundle."""
        made = bundle(self._made, version, takes_settings=takes_settings)
        self.at(NOW).add(made, self.keys)
        return made

    def freeze(self, days: int) -> None:
        """Let what is signed have ended some days ago."""
        self.at(NOW - timedelta(days=days + 1), Lives(online=1)).refresh(self.keys)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path)


@pytest.fixture
def slots(tmp_path: Path) -> Slots:
    """A folder of releases with 0.1.0 in it."""
    folder = tmp_path / "opt"
    (folder / "a" / "bin").mkdir(parents=True)
    made = Slots(folder)
    made.complete("a", Release("0.1.0", "first"))
    made.point("good", "a")
    made.point("current", "a")
    return made


@pytest.fixture
def mirror(signer: Signer, slots: Slots) -> Mirror:
    """The mirror as the node sees it, which got the root on the day it was installed."""
    trusted = slots.folder / "root.json"
    trusted.write_bytes(signer.root.read_bytes())
    return Mirror(str(signer.folder), trusted, slots.folder / "mirror", most=10_000_000)
