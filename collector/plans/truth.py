"""Three-valued truth: true, false, and not known with the reason.

What is not known only matters where it decides (Kleene's strong logic):

>>> both(False, Unknown("nobody said"))
False
>>> either(False, Unknown("nobody said"))
Unknown(why='nobody said')
"""

from typing import TypeAlias

from msgspec import Struct


class Unknown(Struct, frozen=True):
    """The condition cannot be decided, and why."""

    why: str


Truth: TypeAlias = bool | Unknown


def both(left: Truth, right: Truth) -> Truth:
    """Return whether both hold."""
    if left is False or right is False:
        return False
    return right if left is True else left


def either(left: Truth, right: Truth) -> Truth:
    """Return whether one of them holds."""
    if left is True or right is True:
        return True
    return right if left is False else left


def negation(value: Truth) -> Truth:
    """Return the opposite; the opposite of what is not known is not known."""
    return value if isinstance(value, Unknown) else not value
