"""Settings that a collector lays over the node's own, kept only while the node still reaches a collector.

::

    kept v3 ──apply v4──> trial v4 (v3 remembered) ──a collector answered──> kept v4
                               └──no answer in time──> kept v3, v4 refused for good

A trial ends at one moment, however often the agent is started in it: settings that let it die before a
collector answers are rolled back by the first start after that. A version ascends: what was rolled back or is
older never comes again.

What may be pushed is told by its type: numbers, switches and words of a closed list, and two lists whose
items are read as addresses and networks (`collectors`, `internal_ranges`). Text is the node's own: a path, a
command or an asset's name never comes from outside, and neither do the orders it obeys.

>>> from agent.settings import Settings, overlaid
>>> overlaid(Settings(), {"heartbeat_seconds": 10}).heartbeat_seconds
10.0
>>> overlaid(Settings(), {"orders": {"evidence_bytes": 4096}})
Traceback (most recent call last):
    ...
agent.settings.pushed.PushedError: settings.orders: is the node's own and can't be pushed
"""

import types
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Struct, structs

from wire.codec import UNREADABLE

from ..keeping import replace_file
from .model import Settings, objections

FILE = "pushed.json"
TRIAL_SECONDS = 180.0
_OWN = frozenset({"orders", "state_dir", "metrics", "unit", "assets", "update"})
_LISTS = frozenset({"settings.collectors", "settings.internal_ranges"})
_SIMPLE = (bool, int, float)
State = Literal["none", "trial", "kept"]


class PushedError(ValueError):
    """Settings that can't be laid over the node's own; the text names the place."""


class Moment(Struct, frozen=True):
    """A time by the host's clocks.

    Fields:
        boot_id, monotonic: The boot, and seconds since it; compares within one boot only.
        wall: Seconds since 1970; somebody may set it.
    """

    boot_id: str
    monotonic: float
    wall: float

    def since(self, earlier: "Moment") -> float:
        """Return the seconds since an earlier moment: of this boot, else by the wall clock, never below 0."""
        same_boot = self.boot_id == earlier.boot_id
        passed = self.monotonic - earlier.monotonic if same_boot else self.wall - earlier.wall
        return max(0.0, passed)


class Held(Struct, frozen=True):
    """What is kept.

    Fields:
        version, settings, state: What is laid over the node's own now.
        before_version, before: What a trial goes back to.
        refused: The highest version that was rolled back.
        begun: When the trial began; None: no agent has started in it yet.
    """

    version: int = 0
    settings: dict[str, Any] = {}
    state: State = "none"
    before_version: int = 0
    before: dict[str, Any] = {}
    refused: int = 0
    begun: Moment | None = None

    def left(self, now: Moment, seconds: float) -> float:
        """Return how much of a trial of `seconds` is left, 0 where it is over."""
        passed = now.since(self.begun) if self.begun else 0.0
        return max(0.0, seconds - passed)


class Pushed:
    """The file of pushed settings in a state folder."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE

    def read(self) -> Held:
        """Return what is kept; a damaged file is as none: the node's own settings hold."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Held)
        except (OSError, *UNREADABLE):
            return Held()

    def admit(self, version: int) -> None:
        """Raise where a version is not newer than all before.

        Raises:
            PushedError: it is not.
        """
        held = self.read()
        newest = max(held.version, held.refused)
        if version <= newest:
            raise PushedError(f"version {version} is not newer than {newest}, which this node has seen")

    def begin_trial(self, version: int, settings: dict[str, Any]) -> None:
        """Keep settings on trial."""
        held = self.read()
        before = (
            (held.before_version, held.before) if held.state == "trial" else (held.version, held.settings)
        )
        self._write(Held(version, settings, "trial", *before, held.refused))

    def start_clock(self, now: Moment) -> Held:
        """Return what is kept; a trial without a beginning begins now.

        Raises:
            OSError: the disk did not take it; the trial has no beginning still.
        """
        held = self.read()
        if held.state == "trial" and held.begun is None:
            held = structs.replace(held, begun=now)
            self._write(held)
        return held

    def keep(self, version: int) -> None:
        """End the trial of a version: a collector has answered under it. One that began since goes on.

        Raises:
            OSError: the disk did not take it; the trial goes on.
        """
        held = self.read()
        if held.state == "trial" and held.version == version:
            self._write(structs.replace(held, state="kept", before_version=0, before={}, begun=None))

    def roll_back(self, version: int) -> Held:
        """Go back to what was before the trial of a version; returns what was given up.

        Raises:
            OSError: the disk did not take it; the trial goes on.
        """
        held = self.read()
        if held.state == "trial" and held.version == version:
            state: State = "kept" if held.before_version else "none"
            self._write(
                Held(held.before_version, held.before, state, refused=max(held.refused, held.version))
            )
        return held

    def _write(self, held: Held) -> None:
        replace_file(self._path, msgspec.json.encode(held))


def overlaid(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """Return the settings with what a collector gave laid over them.

    Raises:
        PushedError: something given is no setting, not to be pushed, or of another form.
    """
    for name in given:
        if name in _OWN:
            raise PushedError(f"settings.{name}: is the node's own and can't be pushed")
    made: Settings = _laid(settings, given, "settings")
    if "internal_ranges" in given and made.sources is not None:
        # The sources have them from the top of the file, see `cli/loading.py`.
        made = structs.replace(
            made, sources=structs.replace(made.sources, internal_ranges=made.internal_ranges)
        )
    for path, found, expected in objections(made):
        raise PushedError(f"settings.{path}: found {found}, expected {expected}")
    return made


def _laid(base: Any, given: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - any struct of settings
    kinds = {field.encode_name: field.type for field in structs.fields(base)}
    changed: dict[str, Any] = {}
    for name, value in given.items():
        here = f"{path}.{name}"[:200]
        if name not in kinds:
            raise PushedError(f"{here}: is no setting; there are {', '.join(sorted(kinds))}")
        held = getattr(base, name)
        if isinstance(held, Struct):
            if not isinstance(value, dict):
                raise PushedError(f"{here}: found {str(value)[:80]!r}, expected a mapping")
            changed[name] = _laid(held, value, here)
        elif here in _LISTS or _may_be_pushed(kinds[name]):
            changed[name] = _converted(value, kinds[name], here)
        else:
            raise PushedError(f"{here}: is the node's own and can't be pushed")
    return structs.replace(base, **changed)


def _converted(value: object, kind: Any, here: str) -> Any:  # noqa: ANN401 - what the field takes
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise PushedError(f"{here}: {str(error)[:300]}") from None


def _may_be_pushed(kind: Any) -> bool:  # noqa: ANN401 - a class or a typing form
    """Whether a type holds numbers, switches or words of a closed list alone."""
    origin: Any = get_origin(kind)
    if origin is Annotated:
        return _may_be_pushed(get_args(kind)[0])
    if origin in {Union, types.UnionType}:
        return all(part is type(None) or _may_be_pushed(part) for part in get_args(kind))
    return origin is Literal or kind in _SIMPLE
