"""`fengsui-agent baseline accept ROOT`: what a web root holds now is what counts, after a deployment."""

import argparse
from pathlib import Path
from typing import Any

from ..sources import accept
from ..texts import SaidError, say
from .loading import load


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Add the command."""
    parser = subparsers.add_parser("baseline", help="认可网站的新内容 accept a web root's new content")
    deeds = parser.add_subparsers(metavar="DEED", required=True)
    deed = deeds.add_parser("accept", help="认可当前内容 take what is there now for what shall be there")
    deed.add_argument("root", metavar="ROOT", help="a path of sources.files.roots 设置中的网站目录")


def run(args: argparse.Namespace) -> int:
    """Accept; a running agent sees it within its next look and tells the collector that the change is over.

    Raises:
        SettingsError: every mistake of the settings.
        SaidError: the root is none of the settings' or can't be read.
    """
    settings = load(args)
    args.lang = settings.language  # what is refused below is told in it too
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
