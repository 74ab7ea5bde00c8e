"""Bundles of this checkout, made offline as an operator makes them, from wheels of what is installed here."""

import base64
import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECKOUT = (
    "agent",
    "collector",
    "wire",
    "playbooks",
    "configs",
    "packaging",
    "pyproject.toml",
    "README.md",
    "LICENSE",
)
OF_THE_INSTALLER = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def needed(requirements: Iterable[str], seen: dict[str, Distribution]) -> dict[str, Distribution]:
    """Return what is installed of requirements and of theirs; extras are left out."""
    for requirement in requirements:
        name = re.split(r"[^\w.-]", requirement)[0].lower()
        if "extra ==" in requirement or name in seen:
            continue
        try:
            seen[name] = distribution(name)
        except PackageNotFoundError:  # of another platform
            continue
        needed(seen[name].requires or (), seen)
    return seen


def wheel_of(installed: Distribution, folder: Path) -> None:
    """Write the wheel that a distribution was installed from, as far as its record tells."""
    files = [
        file
        for file in installed.files or ()
        if ".." not in file.parts and file.suffix != ".pyc" and file.name not in OF_THE_INSTALLER
    ]
    info = next(str(file.parent) for file in files if file.name == "WHEEL")
    tag = re.search(r"^Tag: (\S+)", installed.read_text("WHEEL") or "", re.MULTILINE)
    assert tag
    lines = []
    with zipfile.ZipFile(folder / f"{info.removesuffix('.dist-info')}-{tag[1]}.whl", "w") as archive:
        for file in files:
            content = file.read_binary()
            archive.writestr(str(file), content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            lines.append(f"{file},sha256={digest},{len(content)}\n")
        archive.writestr(f"{info}/RECORD", "".join(lines) + f"{info}/RECORD,,\n")


def bundle_of_the_next(version: str, folder: Path) -> Path:
    """Let `make_bundle.py` of a checkout of the next release pack it with all that an agent needs."""
    wheels, checkout = folder / "wheels", folder / "checkout"
    wheels.mkdir()
    own = distribution("fengsui").requires or ()
    for one in needed((*own, "tuf"), {}).values():
        wheel_of(one, wheels)
    checkout.mkdir()
    for name in CHECKOUT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, checkout / name)
    project = checkout / "pyproject.toml"
    project.write_text(re.sub(r'(?m)^version = ".*"', f'version = "{version}"', project.read_text("utf-8")))
    made = folder / f"{version}.tar"
    words = (sys.executable, checkout / "packaging/make_bundle.py", made, "--wheels", wheels)
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    return made
