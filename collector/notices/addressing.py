"""Where a notice goes and what is said there (pure): people's addresses, machines' allow-list."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from ..actions.http_request import allowed
from ..registry import Registry
from ..store.notices import Notice


class Address(Struct, frozen=True):
    """Where to send (empty: the channel's own address) and what."""

    address: str
    payload: Mapping[str, Any]


def unlinked(_: Notice) -> None:
    """Say that a notice carries no link."""


def address_of(
    notice: Notice, registry: Registry, allow: Sequence[str], link: Callable[[Notice], str | None] = unlinked
) -> Address | str:
    """Return where a notice goes, or the reason why it can go nowhere.

    Args:
        notice: To a person, or an `http_request` with `url` and `body`.
        registry: Knows people's addresses.
        allow: Address prefixes that `http_request` may call; looked at here once more, for the settings may
            have changed since the notice was queued.
        link: The address of a link for acknowledging what the notice tells of; None: there is none.
    """
    if notice.person is not None:
        person = registry.person(notice.person)
        if person is None:
            return f"the register has no person {notice.person!r}"
        said = notice.payload | {"key": notice.key, "person": person.id, "name": person.name}
        if (url := link(notice)) is not None:
            said = _with_link(said, url)
        return Address(person.channels.get(notice.channel, ""), said)
    url = notice.payload.get("url")
    if url is None:
        return Address("", notice.payload | {"key": notice.key})
    if not isinstance(url, str) or not allowed(url, allow):
        return f"{url!r} is not below any address of http_allow in the settings"
    return Address(url, notice.payload.get("body") or {})


def _with_link(payload: Mapping[str, Any], url: str) -> dict[str, Any]:
    words = "确认请打开" if payload.get("language") == "zh" else "to acknowledge, open"
    body = "\n".join(part for part in (str(payload.get("body", "")), f"{words}: {url}") if part)
    return {**payload, "body": body, "acknowledge": url}
