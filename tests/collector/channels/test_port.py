from collector.channels import CHANNELS, Channel, open_channels
from collector.channels.port import Failed, Sent, Unknown
from collector.settings import ChannelSettings


def test_a_result_is_one_of_three_and_says_why() -> None:
    assert Sent().detail == {}
    assert Failed(permanent=False, why="no").retry_after is None
    assert Unknown("lost").why == "lost"


async def test_the_settings_name_channels_of_the_listed_kinds() -> None:
    settings = [
        ChannelSettings(name=f"my-{kind}", kind=kind, url="")  # type: ignore[arg-type]
        for kind, _ in CHANNELS
    ]
    opened: dict[str, Channel] = open_channels(settings)

    assert {name: type(one) for name, one in opened.items()} == {f"my-{n}": kind for n, kind in CHANNELS}
    assert all(one.name == name for name, one in opened.items())
    for one in opened.values():
        await one.close()
