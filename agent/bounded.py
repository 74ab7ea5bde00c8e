"""Numbers that an operator may write: each with the bounds beyond which nothing could be done with it.

Without them `poll: 0` would look without a pause, `window: 0` divide by nothing and a number of thirty
digits overflow in the middle of a night. What a type refuses, `check-config` names with its place, and a
collector can't push.

>>> import msgspec
>>> msgspec.convert(0, Seconds)
Traceback (most recent call last):
    ...
msgspec.ValidationError: Expected `float` > 0.0
"""

from typing import Annotated, TypeAlias

from msgspec import Meta

_YEAR = 366 * 86400.0
# The largest whole number that every side keeps exactly, databases and JSON included.
_MOST = 2**53

Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=_YEAR)]
"""A stretch of time that is none without a length."""

Pause: TypeAlias = Annotated[float, Meta(ge=0, le=_YEAR)]
"""A stretch of time that may be left out."""

Count: TypeAlias = Annotated[int, Meta(ge=1, le=_MOST)]
"""How many of something, at least one: a threshold, a number of files or bytes."""

Rate: TypeAlias = Annotated[float, Meta(gt=0, le=_MOST)]
"""How many a second."""

Share: TypeAlias = Annotated[float, Meta(gt=0, le=1)]
"""A part of a whole."""
