"""What every channel owes: it ends in time, raises nothing, and says *failed* only where nothing arrived."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from aiohttp import web

from collector.channels import CHANNELS, Channel, Failed, Sent, Unknown
from tests.contracts.receiver import Receiver, receiver

PAYLOAD = {"subject": "【烽燧】", "body": "网页篡改"}
Make = Callable[[str], Channel]

# apprise still supports Python without its own copy of it
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
async def place() -> AsyncIterator[Receiver]:
    async with receiver() as opened:
        yield opened


@pytest.fixture(params=[name for name, _ in CHANNELS])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    """Make the channel with an address that leads to an HTTP server."""
    kind = dict(CHANNELS)[request.param]
    async with AsyncExitStack() as stack:

        def made(url: str) -> Channel:
            address = url.replace("http://", "json://") if request.param == "apprise" else url
            channel: Channel = kind("duty", address, timedelta(seconds=1))
            stack.push_async_callback(channel.close)
            return channel

        yield made


async def test_what_was_taken_is_sent(make: Make, place: Receiver) -> None:
    assert isinstance(await make(place.url).send("", PAYLOAD, "k"), Sent)
    assert "网页篡改" in str(place.bodies[0])


async def test_the_receiver_can_tell_effects_apart_by_the_key(make: Make, place: Receiver) -> None:
    channel = make(place.url)
    for _ in range(2):
        await channel.send("", PAYLOAD, "incident/escalate_0/1/wang/duty")

    for body, headers in zip(place.bodies, place.headers, strict=True):
        assert "incident/escalate_0/1/wang/duty" in str(body) + str(headers)


async def test_a_persons_own_address_wins_over_the_channels(make: Make, place: Receiver) -> None:
    own = place.url.replace("http://", "json://") if make("").__class__.__name__ == "Apprise" else place.url

    assert isinstance(await make("http://127.0.0.1:1/").send(own, PAYLOAD, "k"), Sent)


async def test_no_address_at_all_fails_for_good(make: Make) -> None:
    result = await make("").send("", PAYLOAD, "k")

    assert isinstance(result, Failed)
    assert result.permanent


async def test_an_address_where_nobody_is_does_not_say_sent(make: Make) -> None:
    result = await make("http://127.0.0.1:1/").send("", PAYLOAD, "k")

    assert isinstance(result, Failed | Unknown)
    assert not (isinstance(result, Failed) and result.permanent)


async def test_an_answer_that_does_not_come_is_unknown_and_ends_in_time(make: Make, place: Receiver) -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    place.answer = hang
    async with asyncio.timeout(10):
        assert isinstance(await make(place.url).send("", PAYLOAD, "k"), Unknown)


async def test_a_line_cut_in_the_call_is_unknown(make: Make, place: Receiver) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    place.answer = cut
    assert isinstance(await make(place.url).send("", PAYLOAD, "k"), Unknown)


async def test_secrets_of_an_address_never_stand_in_a_result(make: Make, place: Receiver) -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.Response(status=404, text="no such hook")

    place.answer = refuse
    for url in (place.url, "http://127.0.0.1:1/?token=secret", "http://[/?token=secret"):
        assert "secret" not in str(await make(url).send("", PAYLOAD, "k"))
