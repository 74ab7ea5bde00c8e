"""Who may do what, on whose objects: the one place where that is decided.

A role says what may be done; the unit of the user's person says on what: their unit and every unit below.
A user without a person (the first account `admin`) and a bearer token belong to no unit and see all.
"""

from typing import Literal

from msgspec import Struct

from ..registry import Registry
from .problem import ProblemError

Role = Literal["admin", "duty", "viewer", "metrics", "intake"]
Deed = Literal["read", "act", "scrape", "report"]
MAY: dict[str, frozenset[Deed]] = {
    "admin": frozenset({"read", "act", "scrape", "report"}),
    "duty": frozenset({"read", "act", "scrape"}),
    "viewer": frozenset({"read", "scrape"}),
    "metrics": frozenset({"scrape"}),
    "intake": frozenset({"report"}),
}


class Principal(Struct, frozen=True, kw_only=True):
    """Who asks.

    Fields:
        actor: As the journal names them: `person:<key>`, `user:<name>`, `token:<id>`.
        name: What the page's corner shows.
        role: One of `MAY`; any other may nothing.
        person: Registry key of the user's person; None for tokens and unbound accounts.
        csrf: What a form of this session must carry; empty for bearer tokens, whose bearer is no browser.
    """

    actor: str
    name: str
    role: str
    person: str | None = None
    csrf: str = ""


def scope(principal: Principal, registry: Registry) -> frozenset[str] | None:
    """Return the ids of the units whose objects the principal may see; None: all.

    A person who left the register sees nothing until somebody binds the account anew.
    """
    if principal.person is None:
        return None
    person = registry.person(principal.person)
    return frozenset(registry.below(person.unit)) if person else frozenset()


def roles_on(principal: Principal, unit: str | None, registry: Registry) -> frozenset[str]:
    """Return the roles of plans that the principal bears for a unit.

    A leader may what the duty officer may. An account without a person, or a token, bears no more than duty:
    an approval is a person's, and so is the start of what only a leader may start.
    """
    may = MAY.get(principal.role, frozenset())
    duty = frozenset({"duty"}) if "act" in may else frozenset()
    person = registry.person(principal.person)
    if person is None or unit is None or not duty:
        return duty if principal.person is None else frozenset()
    asked = ("duty", "leader", "superior", person.role)
    borne = {role for role in asked if person in registry.persons(unit, role)}
    return frozenset(borne | ({"duty"} if borne & {"leader", "superior"} else set()))


def allow(principal: Principal, deed: Deed) -> None:
    """Return when the role may do this.

    Raises:
        ProblemError: forbidden.
    """
    if deed not in MAY.get(principal.role, frozenset()):
        raise ProblemError("forbidden", f"the role {principal.role!r} may not {deed} here")


def allow_on(principal: Principal, deed: Deed, unit: str | None, registry: Registry, what: str) -> None:
    """Return when the principal may do this to an object of `unit` (None: of no unit).

    Raises:
        ProblemError: not-found where they may not even see it, so that ids cannot be guessed; forbidden where
            they may see but not act.
    """
    units = scope(principal, registry)
    if units is not None and unit not in units:
        raise ProblemError("not-found", f"there is no {what}")
    allow(principal, deed)
