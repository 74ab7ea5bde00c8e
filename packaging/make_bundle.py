"""Make a bundle of this checkout for hosts like this one: what `fengsui-collector releases add` signs.

    .venv/bin/python packaging/make_bundle.py OUT.tar [--wheels FOLDER] [--extra update] [--extra yara]

Wheels come from `--wheels`, where it is given, else from the package index that pip is set to; what has no
wheel for this platform is to be built into that folder first (docs/loongarch64.md). Nothing is signed here.
The interpreter is that of `make .venv/.run`, which has what builds this checkout.
"""

import argparse
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Make it; 1 where pip found no wheel for something."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, metavar="OUT.tar")
    parser.add_argument("--wheels", type=Path, metavar="FOLDER", help="take wheels from here alone")
    parser.add_argument("--extra", action="append", default=["update"], choices=["update", "yara"])
    args = parser.parse_args()
    if find_spec("hatchling") is None:
        parser.error("hatchling is not installed here: `make .venv/.run`, then run this by .venv/bin/python")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", str(folder)]
        source = ["--no-index", "--find-links", str(args.wheels)] if args.wheels else ["--prefer-binary"]
        wanted = f"{ROOT}[{','.join(dict.fromkeys(args.extra))}]"
        done = subprocess.run([*pip, *source, "--no-build-isolation", wanted], check=False)
        if done.returncode:
            return 1
        wheels = sorted(folder.glob("*.whl"))
        (folder / "requirements.txt").write_text("".join(map(_line, wheels)))
        with tarfile.open(args.out, "w:", format=tarfile.PAX_FORMAT) as archive:
            archive.add(folder / "requirements.txt", "requirements.txt", filter=_plain)
            for wheel in wheels:
                archive.add(wheel, f"wheels/{wheel.name}", filter=_plain)
    print(f"{args.out}: {len(wheels)} wheels, {args.out.stat().st_size} bytes", file=sys.stderr)
    return 0


def _line(wheel: Path) -> str:
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same wheels make the same file, whoever packs them when."""
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member


if __name__ == "__main__":
    sys.exit(main())
