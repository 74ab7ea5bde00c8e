"""A bundle: one tar file with wheels and the list of their hashes, installed without any network.

::

    requirements.txt        NAME==VERSION --hash=sha256:… of every wheel
    wheels/NAME-….whl

Nothing else may lie in it: no folder, no link, no path. Only wheels are installed, so no code of a bundle
runs before it is started; and a bundle is only opened once its signature was found good (`release.mirror`).
"""

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from ..texts import SaidError

_MEMBER = re.compile(r"requirements\.txt|wheels/[A-Za-z0-9_][A-Za-z0-9_.+-]{0,200}\.whl")
_MEMBERS = 500
_SECONDS = 900
_LAST_LINES = 5
_PREFIX = "bundle-"


class BundleError(SaidError):
    """A bundle that can't be installed; what runs stays."""


def unpack(bundle: Path, folder: Path, most: int) -> None:
    """Take a bundle apart.

    Args:
        bundle: The file.
        folder: An empty one.
        most: Bytes that its members may have together.

    Raises:
        BundleError: it holds something else, too much, or is no tar file.
        OSError: the disk did not take it.
    """
    (folder / "wheels").mkdir()
    left = most
    try:
        with tarfile.open(bundle, "r:") as archive:
            for number, member in enumerate(archive):
                if number >= _MEMBERS or member.size > left:
                    raise BundleError("bundle_too_big", path=bundle.name, most=most)
                left -= member.size
                content = archive.extractfile(member) if member.isreg() else None
                if content is None or not _MEMBER.fullmatch(member.name):
                    raise BundleError("bundle_holds", path=bundle.name, member=member.name[:200])
                with (folder / member.name).open("xb") as file:
                    shutil.copyfileobj(content, file)
    except tarfile.TarError as error:
        raise BundleError("bundle_unreadable", path=bundle.name, why=error) from None
    except FileExistsError as error:
        twice = Path(str(error.filename)).name
        raise BundleError("bundle_holds", path=bundle.name, member=twice) from None


def install(bundle: Path, slot: Path, most: int) -> None:
    """Make a slot a virtual environment with what a bundle holds.

    Args:
        bundle: A file whose signature is good.
        slot: An empty folder.
        most: Bytes the bundle's members may have together.

    Raises:
        BundleError: it can't be installed; the text says why.
        OSError: the disk did not take it.
    """
    for left in slot.parent.glob(f"{_PREFIX}*"):  # by an update that was killed here; there is never a second
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=slot.parent) as name:
        folder = Path(name)
        unpack(bundle, folder, most)
        # The base interpreter's, so that a release does not hang on the one that installs it.
        _run([_interpreter(), "-I", "-m", "venv", "--copies", str(slot)], folder)
        wheels = ("--no-index", "--find-links", str(folder / "wheels"), "--only-binary", ":all:")
        listed = ("--require-hashes", "--requirement", str(folder / "requirements.txt"))
        pip = [str(slot / "bin" / "python"), "-I", "-m", "pip", "install", "--no-cache-dir", "--quiet"]
        _run([*pip, *wheels, *listed], folder)


def _interpreter() -> str:
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")


def _run(command: list[str], folder: Path) -> None:
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    try:
        done = subprocess.run(  # noqa: S603 - our own words, and paths that we made
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BundleError("bundle_step", step=Path(command[0]).name, why=f"> {_SECONDS} s") from None
    if done.returncode:
        told = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-_LAST_LINES:]
        raise BundleError("bundle_step", step=Path(command[0]).name, why=" / ".join(told)[:1000])
