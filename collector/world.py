"""Everything a collector takes from files, read at once: the world that a reload builds beside the old one.

Whatever is wrong in any of the files is told together; nothing of a world with a mistake is ever used, but
for plans: a broken one is left out by itself.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from wire.program import Rule

from . import shipped
from .classes import Classes, read_classes
from .errors import PermanentError
from .escalation import Policy, Roster, read_policies, read_rosters
from .plans import Plan
from .regimes import Regime, load_regimes
from .registry import Registry, read_registry
from .runs.playbooks import read_playbooks
from .settings import Settings, read_settings
from .trust.secret_files import read_secret
from .workdays import CalendarFile, read_calendars
from .yaml_marks import Mistake, Mistakes

Part = TypeVar("Part")
DEFAULT_POLICY = "default"
ROSTERS = "rosters"
EVALUATED = "a rule that nodes can evaluate (docs/detection.md)"


class World(Struct, frozen=True, kw_only=True):
    """What the files say.

    Fields:
        plans: By id; an operator's plan replaces the shipped one of its id.
        left_out: Mistakes of plans that are not in use; a broken plan stops nothing but itself.
        policy: The escalation chains in use: the operator's `default`, else the shipped one.
        rosters: By unit; from `rosters/` in the operator's escalation folder.
        rules: What nodes evaluate; refused: those of the Sigma rules that no node can.
        calendars: The operator's own years of working days.
    """

    settings: Settings
    registry: Registry
    classes: Classes
    regimes: tuple[Regime, ...]
    plans: dict[str, Plan]
    policy: Policy
    rosters: dict[str, Roster] = {}
    calendars: tuple[CalendarFile, ...] = ()
    left_out: tuple[Mistake, ...] = ()
    rules: tuple[Rule, ...] = ()
    refused: tuple[Mistake, ...] = ()


def load_world(file: str, environment: Mapping[str, str]) -> World:
    """Read the settings file and everything it names.

    Raises:
        Mistakes: every mistake of every file.
        PermanentError: a file can't be read at all.
    """
    settings = read_settings(read_text(file), file, environment)
    for channel in settings.channels:
        if channel.secret_file:
            read_secret(channel.secret_file)
    return build_world(settings)


def build_world(settings: Settings) -> World:
    """Read everything the settings name.

    Raises:
        Mistakes: every mistake of every file, where one of them is not a plan's.
        PermanentError: a file can't be read at all.
    """
    mistakes: list[Mistake] = []

    def gather(read: Callable[[], Part]) -> Part | None:
        try:
            return read()
        except Mistakes as error:
            mistakes.extend(error.mistakes)
            return None

    _refuse_missing(settings)
    configs = shipped.configs_dir()
    registry = gather(lambda: _registry(settings))
    table = str(configs / "classes.yaml")
    classes = gather(lambda: read_classes(read_text(table), table))
    regimes = gather(lambda: load_regimes(*_folders(configs / "regimes", settings.regimes)))
    shelf = read_playbooks(_folders(shipped.playbooks_dir(), settings.playbooks))
    chains = _folders(configs / "escalation", settings.escalation)
    policies = gather(lambda: read_policies(_texts(chains), classes.by_code if classes else None))
    rosters = gather(
        lambda: read_rosters(_texts(tuple(one / ROSTERS for one in chains)), registry) if registry else {}
    )
    calendars = gather(lambda: read_calendars(_texts(_own(settings.calendars))))
    if mistakes or not (registry and classes and regimes and policies):
        raise Mistakes([*mistakes, *shelf.errors])
    from .sigma import load_rules  # noqa: PLC0415 - pySigma takes a quarter of a second; most commands read no rules

    sigma = load_rules(_folders(configs / "sigma", settings.sigma), classes.by_code)
    return World(
        settings=settings,
        registry=registry,
        classes=classes,
        regimes=regimes,
        plans=dict(shelf.plans),
        left_out=tuple(shelf.errors),
        policy=policies[DEFAULT_POLICY],
        rosters=rosters or {},
        rules=sigma.rules,
        refused=tuple(Mistake(one.file, 1, 1, one.rule, one.why, EVALUATED) for one in sigma.refused),
        calendars=calendars or (),
    )


def read_text(path: str) -> str:
    """Return a file's text.

    Raises:
        PermanentError: it can't be read, or is not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8").split("\n")
        place = f"{path}:{len(before)}:{len(before[-1]) + 1}"
        raise PermanentError(f"{place}: is not UTF-8 text") from None
    except OSError as error:
        raise PermanentError(f"{path}: {error.strerror}") from None


def _registry(settings: Settings) -> Registry:
    registry = read_registry(read_text(settings.registry), settings.registry)
    if settings.unit not in registry.units:
        known = ", ".join(sorted(registry.units))
        found, expected = f"no unit {settings.unit!r}", f"the settings' unit among {known}"
        raise Mistakes([Mistake(settings.registry, 1, 1, "units", found, expected)])
    return registry


def _texts(folders: tuple[Path, ...]) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")):
            yield str(path), read_text(str(path))


def _folders(shipped_folder: Path, own: str) -> tuple[Path, ...]:
    return (shipped_folder, *_own(own))


def _own(folder: str) -> tuple[Path, ...]:
    return (Path(folder),) if folder else ()


def _refuse_missing(settings: Settings) -> None:
    """Raise where folders of the operator's own are not there, all of them at once."""
    own = (settings.regimes, settings.playbooks, settings.escalation, settings.calendars, settings.sigma)
    told = [
        f"{folder}: the settings name this folder, and it is not there"
        for folder in own
        if folder and not Path(folder).is_dir()
    ]
    if told:
        raise PermanentError("\n".join(told))
