"""Roster files: one unit's roster a file, held against the register (pure)."""

import json
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from .. import yaml_marks
from ..registry import Registry
from ..yaml_marks import Mistake, Mistakes, Node
from .rota import Holiday, Period, Roster, Rotation


def read_roster(text: str, file: str, registry: Registry) -> Roster:
    """Read one roster; its zone is the unit's where the file names none.

    Raises:
        Mistakes: Every mistake of the file: unknown unit, people, zone.
    """
    tree = yaml_marks.read(text, file)
    roster = yaml_marks.decode(tree, Roster)
    if mistakes := list(_check(roster, tree, registry)):
        raise Mistakes(mistakes)
    return replace(roster, timezone=roster.timezone or registry.units[roster.unit].timezone)


def read_rosters(files: Iterable[tuple[str, str]], registry: Registry) -> dict[str, Roster]:
    """Read pairs of file name and text to the rosters by unit.

    Raises:
        Mistakes: Every mistake of every file; two rosters of one unit are one.
    """
    rosters: dict[str, Roster] = {}
    places: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for file, text in files:
        try:
            roster = read_roster(text, file, registry)
        except Mistakes as error:
            mistakes.extend(error.mistakes)
            continue
        if roster.unit in rosters:
            found = f"a second roster of {roster.unit!r}"
            mistakes.append(
                Mistake(file, 1, 1, "unit", found, f"one a unit; the other is {places[roster.unit]}")
            )
        rosters[roster.unit] = roster
        places[roster.unit] = file
    if mistakes:
        raise Mistakes(mistakes)
    return rosters


def _check(roster: Roster, tree: Node, registry: Registry) -> Iterator[Mistake]:
    if registry.unit(roster.unit) is None:
        yield tree.mistake("unit", repr(roster.unit), "a unit of the register")
    if roster.timezone and not _is_zone(roster.timezone):
        yield tree.mistake("timezone", repr(roster.timezone), "a zone such as Asia/Shanghai")
    for path, person in _named(roster):
        if registry.person(person) is None:
            yield tree.mistake(path, repr(person), "a person of the register")


def _named(roster: Roster) -> Iterator[tuple[str, str]]:
    parts: dict[str, tuple[Rotation | Period | Holiday, ...]] = {
        "rotations": roster.rotations,
        "shifts": roster.shifts,
        "holidays": roster.holidays,
        "overrides": roster.overrides,
    }
    for part, entries in parts.items():
        for number, entry in enumerate(entries):
            for place, person in enumerate(entry.people):
                yield f"{part}[{number}].people[{place}]", person
    for number, override in enumerate(roster.overrides):
        if override.instead_of is not None:
            yield f"overrides[{number}].instead_of", override.instead_of


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def write_shifts(roster: Roster, source: str) -> str:
    """Return a roster of shifts as the text of a roster file.

    Args:
        roster: Its shifts are written, in its zone; nothing else.
        source: Where they come from, for the file's head.
    """
    zone = ZoneInfo(roster.timezone)
    lines = [f"# {source.splitlines()[0] if source else ''}".rstrip(), f"unit: {roster.unit}"]
    lines += [f"timezone: {roster.timezone}", "shifts:" if roster.shifts else "shifts: []"]
    for shift in roster.shifts:
        start, until = (at.astimezone(zone).isoformat() for at in (shift.start, shift.until))
        name = f", name: {json.dumps(shift.name, ensure_ascii=False)}" if shift.name else ""
        lines.append(f"  - {{from: {start}, until: {until}, people: [{', '.join(shift.people)}]{name}}}")
    return "\n".join(lines) + "\n"
