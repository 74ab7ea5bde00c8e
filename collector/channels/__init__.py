"""The ways to people and machines, one a file; the list of kinds is `CHANNELS`."""

from collections.abc import Iterable

from ..settings import ChannelSettings
from .apprise import Apprise
from .port import Channel, Failed, Result, Sent, Unknown
from .webhook import Webhook

__all__ = ["CHANNELS", "Channel", "Failed", "Result", "Sent", "Unknown", "open_channels"]

CHANNELS: tuple[tuple[str, type[Webhook | Apprise]], ...] = (("webhook", Webhook), ("apprise", Apprise))


def open_channels(settings: Iterable[ChannelSettings]) -> dict[str, Channel]:
    """Return the channels of the settings by name; `close` each in the end."""
    kinds = dict(CHANNELS)
    return {one.name: kinds[one.kind](one.name, one.url, one.timeout) for one in settings}
