"""Where a notice goes and what is said there (pure): people's addresses, machines' allow-list."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from ..actions.http_request import allowed
from ..registry import Registry
from ..store.notices import Notice


class Address(Struct, frozen=True):
    """Where to send (empty: the channel's own address) and what."""

    address: str
    payload: Mapping[str, Any]


def address_of(notice: Notice, registry: Registry, allow: Sequence[str]) -> Address | str:
    """Return where a notice goes, or the reason why it can go nowhere.

    Args:
        notice: To a person, or an `http_request` with `url` and `body`.
        registry: Knows people's addresses.
        allow: Address prefixes that `http_request` may call; looked at here once more, for the settings may
            have changed since the notice was queued.
    """
    if notice.person is not None:
        person = registry.person(notice.person)
        if person is None:
            return f"the register has no person {notice.person!r}"
        said = notice.payload | {"key": notice.key, "person": person.id, "name": person.name}
        return Address(person.channels.get(notice.channel, ""), said)
    url = notice.payload.get("url")
    if url is None:
        return Address("", notice.payload | {"key": notice.key})
    if not isinstance(url, str) or not allowed(url, allow):
        return f"{url!r} is not below any address of http_allow in the settings"
    return Address(url, notice.payload.get("body") or {})
