from datetime import UTC, datetime

from collector.channels import CHANNELS, Channel, open_channels
from collector.channels.apprise import Apprise
from collector.channels.mail import MailChannel
from collector.channels.port import Failed, Sent, Unknown
from collector.channels.sms import SmsGateway
from collector.channels.webhook import Webhook
from collector.settings import ChannelSettings, Mail, Sms


def test_a_result_is_one_of_three_and_says_why() -> None:
    assert Sent().detail == {}
    assert Failed(permanent=False, why="no").retry_after is None
    assert Unknown("lost").why == "lost"


async def test_the_settings_name_channels_of_the_listed_kinds() -> None:
    settings = [
        ChannelSettings(
            name=f"my-{kind}",
            kind=kind,  # type: ignore[arg-type]
            url="http://127.0.0.1/" if kind == "sms" else "",
            mail=Mail(host="127.0.0.1", sender="a@b.example") if kind == "mail" else None,
            sms=Sms(body={"to": "{phone}"}) if kind == "sms" else None,
        )
        for kind, _ in CHANNELS
    ]
    opened: dict[str, Channel] = open_channels(settings, lambda: datetime(2026, 3, 2, tzinfo=UTC))

    assert [type(one) for one in opened.values()] == [Webhook, Apprise, MailChannel, SmsGateway]
    assert all(one.name == name for name, one in opened.items())
    for one in opened.values():
        await one.close()
