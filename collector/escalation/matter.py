"""What an incident is about, and which of the five bodies that makes it the matter of (pure).

The bodies are those of the source texts: the informatization authority, police, state security, secrecy and
cryptography administrations. Which matters are whose is data of the policy file.

>>> police = Competence(matters=(Condition(facts=("crime_suspected",)), Condition(classes=("MPRANS",))))
>>> police.concerns(Matter(klass="MPRANS")), police.concerns(Matter(klass="NAWEBMOD"))
(True, False)
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from wire.vocabulary import Level

Body = Literal["informatization", "police", "state_security", "secrecy", "cryptography"]
BODIES: tuple[Body, ...] = ("informatization", "police", "state_security", "secrecy", "cryptography")
_NOTHING = (None, False, 0, "", "none")
_Class = Annotated[str, Meta(pattern="^[A-Z]{2,16}$")]


class Matter(Struct, frozen=True, kw_only=True):
    """An incident as far as it decides who is competent.

    Fields:
        klass: GB/T 20986 subclass.
        level: As graded; None: not yet.
        facts: Names of `duty explain`.
        classified, cii: Of the asset.
    """

    klass: str = ""
    level: Level | None = None
    facts: Mapping[str, Any] = {}
    classified: bool = False
    cii: bool = False


class Condition(Struct, frozen=True, kw_only=True):
    """Holds where everything it names holds; one that names nothing always holds.

    Fields:
        classes: One of these subclasses, or classes by their first letters (`DS`).
        levels: One of these levels.
        facts: All of these are known, and neither false nor zero.
        classified, cii: As the asset is.
    """

    classes: tuple[_Class, ...] = ()
    levels: tuple[Level, ...] = ()
    facts: tuple[str, ...] = ()
    classified: bool | None = None
    cii: bool | None = None

    def holds(self, matter: Matter) -> bool:
        """Whether it holds for a matter."""
        return (
            (not self.classes or matter.klass.startswith(self.classes))
            and (not self.levels or matter.level in self.levels)
            and all(matter.facts.get(name) not in _NOTHING for name in self.facts)
            and self.classified in {None, matter.classified}
            and self.cii in {None, matter.cii}
        )


class Competence(Struct, frozen=True, kw_only=True):
    """A body and its matters; any one of them suffices.

    Fields:
        source: The text that names the body.
    """

    name: str = ""
    name_en: str = ""
    source: str = ""
    matters: tuple[Condition, ...] = ()

    def concerns(self, matter: Matter) -> bool:
        """Whether a matter is this body's."""
        return any(condition.holds(matter) for condition in self.matters)


class Bodies(Struct, frozen=True, kw_only=True):
    """The five bodies; one that the file leaves out has no matters."""

    informatization: Competence = Competence()
    police: Competence = Competence()
    state_security: Competence = Competence()
    secrecy: Competence = Competence()
    cryptography: Competence = Competence()

    def competent(self, matter: Matter) -> tuple[Body, ...]:
        """Return the bodies whose matter it is."""
        return tuple(body for body in BODIES if self.of(body).concerns(matter))

    def of(self, body: Body) -> Competence:
        """Return what the file says of a body."""
        found: Competence = getattr(self, body)
        return found
