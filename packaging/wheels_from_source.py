"""Builds from source what an agent needs and no wheel is built for (loongarch64), each at the locked version.

    python packaging/wheels_from_source.py DIR

The five that must be compiled go first; the five that can do without their compiled part are built as pure
Python. Every source is checked against the hashes of requirements/collector.txt. docs/loongarch64.md tells
what has to be installed before.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements" / "collector.txt"
COMPILED = ("cffi", "cryptography", "msgspec", "psutil", "pyyaml")
PURE = ("aiohttp", "frozenlist", "multidict", "propcache", "yarl")
WITHOUT_EXTENSIONS = {f"{name.upper()}_NO_EXTENSIONS": "1" for name in PURE}


def pins(lock: str, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield each name with its lines of the lock: the version and the hashes."""
    for name in names:
        found = re.search(rf"^{name}==\S+ .*\\\n(?: +--hash=\S+(?: \\)?\n?)+", lock, re.MULTILINE)
        if found is None:
            raise ValueError(f"{name} is not in the lock; run `make lock`")
        yield name, found[0]


def build(name: str, pin: str, folder: Path) -> float:
    """Build one wheel into the folder; return the seconds it took.

    Raises:
        subprocess.CalledProcessError: it was not built; pip has said why.
    """
    begun = time.monotonic()
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(pin)
        file.flush()
        words = ("wheel", "--quiet", "--no-deps", "--require-hashes", "--no-binary", name)
        subprocess.run(
            [sys.executable, "-m", "pip", *words, "--wheel-dir", str(folder), "--requirement", file.name],
            check=True,
            env={**os.environ, **WITHOUT_EXTENSIONS},
        )
    return time.monotonic() - begun


def main(folder: Path) -> int:
    """Build them all; 1 where one could not be built."""
    failed = []
    for name, pin in pins(LOCK.read_text("ascii"), (*COMPILED, *PURE)):
        try:
            print(f"{name}: {build(name, pin, folder):.0f} s", flush=True)
        except subprocess.CalledProcessError as error:
            print(f"{name}: not built, pip ended with {error.returncode} 未能构建", flush=True)
            failed.append(name)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
