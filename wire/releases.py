"""The signed list of a mirror: which releases of the agent there are, and for which hosts."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

INDEX = "fengsui-agent.json"
ANY = "any"
Version = Annotated[str, Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6}){1,3}$")]
_Tag = Annotated[str, Meta(pattern="^[a-z0-9_]{1,64}$")]
_Path = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$")]


class Offer(Struct, frozen=True, forbid_unknown_fields=True):
    """A release that lies on a mirror.

    Fields:
        version: Numbers with dots.
        path: Of the bundle, among the mirror's targets.
        platform, python: For which hosts, such as `linux_x86_64` and `cp311`; `any`: for all.
    """

    version: Version
    path: _Path
    platform: _Tag = ANY
    python: _Tag = ANY


class Index(Struct, frozen=True, forbid_unknown_fields=True):
    """The list.

    Fields:
        releases: What there is.
        withdrawn: Versions that no node shall run.
    """

    releases: Annotated[tuple[Offer, ...], Meta(max_length=1000)] = ()
    withdrawn: Annotated[tuple[Version, ...], Meta(max_length=1000)] = ()


def read_index(content: bytes) -> Index:
    """Return an index.

    Raises:
        ValueError: it is none; the text names the place.
    """
    return msgspec.json.decode(content, type=Index)
