"""`fengsui-agent deputy`: does what needs privileges for an agent that has none; fixed verbs alone."""

import argparse
import os
import pwd
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from ..enrolment import load_identity
from ..powers import Local, Never, never_of, serve
from ..powers.deputy import VERB_OF, Refusals
from ..settings import Settings
from ..texts import SaidError, say
from .loading import load


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Add the command."""
    parser = subparsers.add_parser("deputy", help="do what needs privileges, for the agent")
    parser.add_argument("--user", metavar="USER", type=_user, required=True, help="the agent's user")


def _user(text: str) -> int:
    """Return a user's number, told by name or by number."""
    try:
        return int(text) if text.isdecimal() else pwd.getpwnam(text).pw_uid
    except KeyError:
        raise argparse.ArgumentTypeError(f"there is no user {text!r} on this host") from None


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM; the socket is that of the settings' `orders.deputy`."""
    settings = load(args)
    if not settings.orders.deputy:
        raise SaidError("deputy_unnamed")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    verbs = {verb for kind in settings.orders.allow for verb in VERB_OF.get(kind, ())}
    powers = Local(partial(_never, settings), time.time)  # noqa: TID251 - the deputy's one clock
    path = Path(settings.orders.deputy)
    try:
        os.umask(0o117)
        print(
            say(settings.language, "deputy_runs", path=path, verbs=" ".join(sorted(verbs))), file=sys.stderr
        )
        refusals = Refusals(lambda user, count: _say_refused(settings.language, user, count))
        serve(
            path, powers, verbs, args.user, stop, refused=lambda user: refusals.note(user, time.monotonic())
        )
    except OSError as error:
        raise SaidError("deputy_socket", path=path, why=error.strerror or error) from None
    path.unlink(missing_ok=True)
    return 0


def _say_refused(language: str, user: int, count: int) -> None:
    print(say(language, "deputy_refused", user=user, count=count), file=sys.stderr, flush=True)


def _never(settings: Settings) -> Never:
    collectors = settings.collectors or (load_identity(Path(settings.state_dir)).collector,)
    return never_of(collectors, settings.orders.management)
