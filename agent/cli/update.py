"""`fengsui-agent update`: the next release from the mirror, on trial, and back where it does not answer.

Run as root by a timer; the agent itself can't write its own program. `--check` looks only, `--adopt` makes an
installation that is there the first of the folder's releases.
"""

import argparse
import contextlib
import fcntl
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from wire.sentences import in_language

from ..release import BundleError, Outcome, Proof, Release, Slots, Updater, Ways, install, this_host
from ..release.mirror import Mirror
from ..settings import Settings
from ..texts import SaidError, say
from .loading import DEFAULT_CONFIG, load

_CHECK_SECONDS = 60
_RESTART_SECONDS = 120
MIRROR = "mirror"
"""Where, in the folder of releases, what was seen of the mirror is kept."""


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Add the command."""
    parser = subparsers.add_parser("update", help="take the next release of a signed mirror")
    deed = parser.add_mutually_exclusive_group()
    deed.add_argument("--check", action="store_true", help="look only")
    deed.add_argument("--adopt", action="store_true", help="begin with what is installed")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, nothing else")


def run(args: argparse.Namespace) -> int:
    """Update, look, or adopt; 1 where a release was taken back.

    Raises:
        SettingsError: every mistake of the settings.
        SaidError: the mirror, the bundle or the folder can't be used; what runs stays.
    """
    settings = load(args)
    # Whoever runs what is installed here is another user: root's umask may be one that lets nobody else read.
    os.umask(0o022)
    slots = Slots(Path(settings.update.folder))
    if args.adopt:
        return _adopt(slots, args)
    if not settings.update.mirror:
        raise SaidError("update_unset", config=_config(args))
    try:
        if args.check:
            with _seen(slots.folder) as seen:
                return _look(_updater(settings, slots, _config(args), seen), slots, args)
        with _alone(slots.folder):
            updater = _updater(settings, slots, _config(args), slots.folder / MIRROR)
            return _tell(updater.update(), slots, args)
    except OSError as error:
        raise SaidError("state_folder", path=error.filename or slots.folder, why=error.strerror) from None


def _updater(settings: Settings, slots: Slots, config: Path, seen: Path) -> Updater:
    update = settings.update
    authority = Path(update.authority) if update.authority else None
    # A deputy that is not started anew would go on from a slot that the next update clears away.
    commands = (update.restart_deputy, update.restart) if settings.orders.deputy else (update.restart,)
    mirror = Mirror(
        update.mirror,
        Path(update.root),
        seen,
        authority=authority,
        most=update.max_bytes,
        seconds=update.fetch_seconds,
    )
    ways = Ways(
        install=partial(_install, most=update.max_bytes),
        check=partial(_check, config=config),
        restart=partial(_restart, commands, settings.language),
        proved=Proof(Path(settings.state_dir)).read,
        now=lambda: datetime.now(UTC),  # noqa: TID251 - a command is its own clock
        steady=time.monotonic,
        sleep=time.sleep,
        new_id=lambda: secrets.token_hex(16),
    )
    return Updater(slots, mirror, ways, this_host(), patience=update.trial_seconds)


def _install(bundle: Path, slot: Path, *, most: int) -> None:
    install(bundle, slot, most)


def _check(slot: Path, *, config: Path) -> None:
    """Ask the new release whether it takes this node's settings, before anything starts from it."""
    # In English, as all that stands in a heartbeat.
    command = [str(slot / "bin" / "fengsui-agent"), "check-config", str(config), "--lang", "en"]
    try:
        done = subprocess.run(  # noqa: S603 - of a release whose signature is good
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_CHECK_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BundleError("release_misfit", why=error) from None
    if done.returncode:
        raise BundleError("release_misfit", why=done.stderr.decode(errors="replace").strip()[-1000:])


def _restart(commands: Iterable[tuple[str, ...]], language: str) -> None:
    """Start what runs anew; where that fails no collector answers, and the release is taken back."""
    for command in commands:
        try:
            subprocess.run(  # noqa: S603 - the node's own settings
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_RESTART_SECONDS, check=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            print(say(language, "restart_failed", command=" ".join(command), why=error), file=sys.stderr)


def _look(updater: Updater, slots: Slots, args: argparse.Namespace) -> int:
    running = slots.release(slots.named("good"))
    offer = updater.wanted()
    before = running.version if running else ""
    if args.json:
        print(json.dumps({"running": before, "offered": offer.version if offer else None}))
        return 0
    code = "update_offered" if offer else "update_none"
    print(_said(args, code, version=offer.version if offer else before, before=before), file=sys.stderr)
    return 0


def _tell(outcome: Outcome, slots: Slots, args: argparse.Namespace) -> int:
    standing = outcome.standing
    running = slots.release(slots.named("current"))
    version = running.version if running else ""
    if args.json:
        told = {"changed": outcome.changed, "running": version, "state": standing.state}
        print(json.dumps(told | {"version": standing.version, "why": standing.why or None}))
    elif outcome.changed:
        why = in_language(standing.why, _language(args))
        values = {"version": standing.version, "before": standing.before, "why": why}
        print(_said(args, f"update_{standing.state}", **values), file=sys.stderr)
    else:
        print(_said(args, "update_none", version=version), file=sys.stderr)
    return int(outcome.changed and standing.state == "rolled_back")


def _adopt(slots: Slots, args: argparse.Namespace) -> int:
    """Let the virtual environment in slot `a` be the first release."""
    if slots.release(slots.named("good")) is None:
        if Path(sys.prefix).resolve() != slots.path("a").resolve():
            raise SaidError("update_folder", path=slots.folder)
        if _serves_collector():
            raise SaidError("update_shared", path=slots.path("a"))
        try:
            slots.complete("a", Release(version("fengsui"), secrets.token_hex(16)))
            slots.point("good", "a")
            slots.point("current", "a")
        except OSError as error:
            raise SaidError("state_folder", path=slots.folder, why=error.strerror or error) from None
    release = slots.release(slots.named("good"))
    running = release.version if release else ""
    if args.json:
        print(json.dumps({"running": running}))
    else:
        print(_said(args, "update_adopted", path=slots.folder, version=running), file=sys.stderr)
    return 0


def _serves_collector() -> bool:
    """Whether a collector can run from here: the next release, of the agent alone, would take it away."""
    return find_spec("alembic") is not None and find_spec("sqlalchemy") is not None


@contextlib.contextmanager
def _seen(folder: Path) -> Iterator[Path]:
    """Give a copy of the metadata that was seen of the mirror, for a look that changes nothing of it.

    An update may be under way: what it replaces is there before and after, and what goes is passed over.
    """
    with tempfile.TemporaryDirectory(prefix="fengsui-look-") as name:
        copy = Path(name)
        for path in (folder / MIRROR).rglob("*.json"):
            beside = copy / path.relative_to(folder / MIRROR)
            beside.parent.mkdir(exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                beside.write_bytes(path.read_bytes())
        yield copy


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second update away; the kernel lets go of the lock when the process ends, however it ends."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise SaidError("update_locked", path=folder) from None
    finally:
        os.close(handle)


def _config(args: argparse.Namespace) -> Path:
    return Path(args.config or os.environ.get("FENGSUI_CONFIG") or DEFAULT_CONFIG)


def _said(args: argparse.Namespace, code: str, **values: object) -> str:
    return say(_language(args), code, **values)


def _language(args: argparse.Namespace) -> str:
    """Return the language of texts for whoever called."""
    from . import language  # noqa: PLC0415 - the package imports this module by name

    return language(args.lang, args.spoken)
