"""Who is meant today by a step's `to`, and over which channels they can be reached.

An empty answer is never a reason to wait: it names the hole, and the caller goes to the next step at once.
"""

from typing import Protocol

from msgspec import Struct

from ..registry import Person


class Directory(Protocol):
    """The register of people, as far as it is asked here."""

    def persons(self, unit: str, role: str, /) -> tuple[Person, ...]:
        """Return whom a role means for a unit, in the order they are woken."""


class Call(Struct, frozen=True):
    """One person over one channel of the settings."""

    person: str
    channel: str


class Wake(Struct, frozen=True, kw_only=True):
    """Who is woken.

    Fields:
        calls: Person by person, each over the wanted channels.
        holes: What is missing in the register: `nobody` for the role, `unreachable` people.
    """

    calls: tuple[Call, ...]
    holes: tuple[str, ...] = ()


def wake(directory: Directory, unit: str, to: str, channels: tuple[str, ...] = ()) -> Wake:
    """Return whom `to` means for a unit and how they are reached.

    Args:
        directory: The register.
        unit: Whose incident it is.
        to: Role of the step.
        channels: The wanted channels in order; empty: all that a person has.
    """
    people = directory.persons(unit, to)
    if not people:
        return Wake(calls=(), holes=(f"nobody is registered as {to} of {unit}",))
    calls: list[Call] = []
    holes: list[str] = []
    for person in people:
        ways = [name for name in channels or person.channels if name in person.channels]
        calls += [Call(person.id, name) for name in ways]
        if not ways:
            wanted = ", ".join(channels) or "any channel"
            holes.append(f"{person.id} ({to} of {unit}) cannot be reached over {wanted}")
    return Wake(calls=tuple(calls), holes=tuple(holes))
