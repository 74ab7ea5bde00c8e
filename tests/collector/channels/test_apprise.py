from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web

from collector.channels.apprise import Apprise
from collector.channels.port import Failed, Unknown
from tests.contracts.receiver import Receiver, receiver

# apprise still supports Python without its own copy of it
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
async def place() -> AsyncIterator[Receiver]:
    async with receiver() as opened:
        yield opened


async def test_subject_and_body_are_sent_with_the_key_for_who_gets_it_twice(place: Receiver) -> None:
    channel = Apprise("duty", place.url.replace("http://", "json://"), timedelta(seconds=5))
    await channel.send("", {"subject": "事件待确认", "body": "网页篡改"}, "i/escalate_0/1/wang/duty")
    await channel.close()

    assert place.bodies[0]["title"] == "事件待确认"
    assert place.bodies[0]["message"] == "网页篡改\n\n[i/escalate_0/1/wang/duty]"


async def test_false_is_unknown_because_it_may_arrive_all_the_same(place: Receiver) -> None:
    async def fail(_: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    place.answer = fail
    channel = Apprise("duty", place.url.replace("http://", "json://"), timedelta(seconds=5))

    assert isinstance(await channel.send("", {"subject": "s", "body": "b"}, "k"), Unknown)
    await channel.close()


async def test_what_apprise_does_not_understand_fails_for_good() -> None:
    channel = Apprise("duty", "nonsense")
    result = await channel.send("", {}, "k")
    await channel.close()

    assert result == Failed(permanent=True, why="not an address that apprise knows")
