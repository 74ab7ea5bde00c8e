"""The port of a channel: one way to tell a person or a machine something."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

from msgspec import Struct


class Sent(Struct, frozen=True):
    """The receiver has it; `detail` is what it answered."""

    detail: Mapping[str, Any] = {}


class Failed(Struct, frozen=True, kw_only=True):
    """The receiver has it not.

    Fields:
        permanent: The same would fail again: a wrong address, a refusal.
        why: For people.
        retry_after: What the receiver asked for.
    """

    permanent: bool
    why: str
    retry_after: timedelta | None = None


class Unknown(Struct, frozen=True):
    """It may have arrived: the answer was lost, or the way gives none. It is sent again with the same key."""

    why: str


Result = Sent | Failed | Unknown


class Channel(Protocol):
    """One way out.

    What an implementation owes:

    - `send` ends within the channel's own time limit and raises nothing that the far side can bring about.
    - It says `Failed` only where the receiver cannot have it, else `Unknown`.
    - `key` is the same for every attempt; where the receiver can read one, it gets it.
    - Secrets of an address never stand in a result.
    """

    name: str

    async def send(self, address: str, payload: Mapping[str, Any], key: str) -> Result:
        """Send `payload` to `address`; an empty address means the channel's own."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads."""
        ...
