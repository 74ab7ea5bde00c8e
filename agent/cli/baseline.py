"""`fengsui-agent baseline`: what counts as a web root's content.

accept ROOT                       what it holds now counts: a person's word after a deployment
sign SITE --key KEY --out FILE    on the build machine: a manifest that a deployment brings along
"""

import argparse
import contextlib
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ..clock import host_clock
from ..sources import WebRoot, accept
from ..sources.pages.manifest import of_site, public_text, sign
from ..texts import SaidError, say
from . import language
from .loading import load


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Add the command."""
    parser = subparsers.add_parser("baseline", help="accept a web root's new content")
    deeds = parser.add_subparsers(metavar="DEED", required=True)
    deed = deeds.add_parser("accept", help="take what is there now for what shall be there")
    deed.add_argument("root", metavar="ROOT", help="a path of sources.files.roots")
    deed.set_defaults(deed=_accept)
    deed = deeds.add_parser("sign", help="sign what a deployment will bring")
    deed.add_argument("root", metavar="SITE", help="the site as it was built")
    deed.add_argument("--key", required=True, metavar="FILE", help="Ed25519 private key, PEM")
    deed.add_argument("--out", required=True, metavar="FILE", help="the manifest")
    deed.add_argument(
        "--exclude", action="append", default=[], metavar="PATTERN", help="left out; may be given again"
    )
    deed.set_defaults(deed=_sign)


def run(args: argparse.Namespace) -> int:
    """Do the deed.

    Raises:
        SettingsError: every mistake of the settings.
        SaidError: what was asked can't be done.
    """
    done: int = args.deed(args)
    return done


def _accept(args: argparse.Namespace) -> int:
    """Accept; a running agent sees it at its next look and tells the collector that the change is over."""
    settings = load(args)
    roots = {str(Path(root.path)): root for root in settings.sources.files.roots}
    root = roots.get(str(Path(args.root).absolute()))
    if root is None:
        raise SaidError("root_unknown", root=args.root, known=", ".join(roots) or "-")
    try:
        count = accept(root, Path(settings.state_dir))
    except OSError as error:
        raise SaidError("root_unreadable", root=root.path, why=error) from None
    print(say(settings.language, "root_accepted", root=root.path, count=count))
    return 0


def _sign(args: argparse.Namespace) -> int:
    """Sign; the version is the second at which it was signed, so that later ones are newer."""
    try:
        key = load_pem_private_key(Path(args.key).read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SaidError("key_unreadable", path=args.key, why=error) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SaidError("key_unreadable", path=args.key, why="no Ed25519 key")
    root = WebRoot(path=str(Path(args.root).absolute()), exclude=tuple(args.exclude))
    try:
        os.scandir(root.path).close()
        manifest = of_site(root, int(host_clock().now().timestamp()))
        new = Path(args.out).with_name(f"{Path(args.out).name}.new")
        with contextlib.closing(new.open("wb")) as file:
            file.write(sign(manifest, key))
        new.replace(args.out)
    except OSError as error:
        raise SaidError("site_unreadable", root=root.path, why=error) from None
    print(
        say(
            language(args.lang),
            "site_signed",
            root=root.path,
            count=len(manifest.files),
            path=args.out,
            version=manifest.version,
            key=public_text(key),
        )
    )
    return 0
