"""The ways to people and machines, one a file; the list of kinds is `CHANNELS`."""

from collections.abc import Callable, Iterable
from datetime import datetime

from ..settings import ChannelSettings
from .apprise import Apprise, open_apprise
from .mail import MailChannel, open_mail
from .port import Channel, Failed, Result, Sent, Unknown
from .sms import SmsGateway, open_sms
from .webhook import Webhook, open_webhook

__all__ = ["CHANNELS", "Channel", "Failed", "Result", "Sent", "Unknown", "open_channels"]

Opened = Webhook | Apprise | MailChannel | SmsGateway
Open = Callable[[ChannelSettings, Callable[[], datetime]], Opened]

CHANNELS: tuple[tuple[str, Open], ...] = (
    ("webhook", open_webhook),
    ("apprise", open_apprise),
    ("mail", open_mail),
    ("sms", open_sms),
)


def open_channels(settings: Iterable[ChannelSettings], now: Callable[[], datetime]) -> dict[str, Channel]:
    """Return the channels of the settings by name; `close` each in the end.

    Raises:
        PermanentError: A secret or a certificate that a channel needs cannot be read.
    """
    kinds = dict(CHANNELS)
    return {one.name: kinds[one.kind](one, now) for one in settings}
