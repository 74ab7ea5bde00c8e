"""What every channel owes: it ends in time, raises nothing, and says *failed* only where nothing arrived."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from collector.channels import CHANNELS, Channel, Failed, Sent, Unknown
from collector.settings import ChannelSettings, Mail, Sms
from tests.contracts.postbox import Postbox, postbox
from tests.contracts.receiver import Receiver, receiver

PAYLOAD = {"subject": "【烽燧】", "body": "网页篡改"}
KEY = "incident/escalate_0/1/wang/duty"
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
ADDRESSES = {"mail": "wang@county.example", "sms": "+8613800000000"}
SMS = Sms(body={"to": "{phone}", "text": "{text}", "id": "{key}"})

# apprise still supports Python without its own copy of it
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Bench:
    """One kind of channel, and a far side that behaves as it is told."""

    def __init__(self, kind: str, place: Receiver, box: Postbox, stack: AsyncExitStack) -> None:
        self.kind = kind
        self.address = ADDRESSES.get(kind, "")
        self._place, self._box, self._stack = place, box, stack

    def channel(self, url: str | None = None, *, port: int | None = None) -> Channel:
        """A channel whose far side is the bench's, or at an address of its own."""
        where = (self._place.url if url is None else url).replace(
            "http://", "json://" if self.kind == "apprise" else "http://"
        )
        settings = ChannelSettings(
            name="duty",
            kind=self.kind,  # type: ignore[arg-type]
            url="" if self.kind == "mail" else where,
            timeout=timedelta(seconds=1),
            mail=self._mail(port or self._box.port) if self.kind == "mail" else None,
            sms=SMS if self.kind == "sms" else None,
        )
        opened: Channel = dict(CHANNELS)[self.kind](settings, lambda: NOON)
        self._stack.push_async_callback(opened.close)
        return opened

    def own(self) -> str:
        """An address of a person's own where the far side is."""
        return self.address or self._place.url.replace(
            "http://", "json://" if self.kind == "apprise" else "http://"
        )

    def received(self) -> list[str]:
        mails = [f"{mail.as_string()}{mail.get_content()}{self._box.recipients}" for mail in self._box.mails]
        pairs = zip(self._place.bodies, self._place.headers, strict=True)
        return mails + [f"{body}{headers}" for body, headers in pairs]

    def behave(self, how: str) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            if how == "hang":
                await asyncio.Event().wait()
            if how == "cut":
                assert request.transport is not None
                request.transport.abort()
            return web.Response(status=404, text="no such hook")

        self._place.answer = answer
        self._box.behaviour = how if how in {"hang", "cut"} else "550 no such box"

    def _mail(self, port: int) -> Mail:
        return Mail(host="127.0.0.1", port=port, security="none", sender="duty@fengsui.example")


@pytest.fixture(params=[name for name, _ in CHANNELS])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(receiver())
        box = await stack.enter_async_context(postbox())
        yield Bench(request.param, place, box, stack)


async def test_what_was_taken_is_sent(bench: Bench) -> None:
    assert isinstance(await bench.channel().send(bench.address, PAYLOAD, "k"), Sent)
    assert "网页篡改" in bench.received()[0]


async def test_the_receiver_can_tell_effects_apart_by_the_key(bench: Bench) -> None:
    channel = bench.channel()
    for _ in range(2):
        await channel.send(bench.address, PAYLOAD, KEY)

    assert [KEY in text for text in bench.received()] == [True, True]


async def test_a_persons_own_address_is_where_it_goes(bench: Bench) -> None:
    channel = bench.channel(None if bench.address else "http://127.0.0.1:1/")

    assert isinstance(await channel.send(bench.own(), PAYLOAD, "k"), Sent)
    assert bench.address in bench.received()[0]


@pytest.mark.parametrize("address", ["", "x\r\nX-Evil: 1", "../../etc/passwd"])
async def test_no_address_or_none_that_fits_fails_for_good(bench: Bench, address: str) -> None:
    channel = bench.channel("" if bench.kind != "sms" else None)
    result = await channel.send(address, PAYLOAD, "k")

    assert isinstance(result, Failed)
    assert result.permanent
    assert bench.received() == []


async def test_an_address_where_nobody_is_does_not_say_sent(bench: Bench) -> None:
    result = await bench.channel("http://127.0.0.1:1/", port=1).send(bench.address, PAYLOAD, "k")

    assert isinstance(result, Failed | Unknown)
    assert not (isinstance(result, Failed) and result.permanent)


@pytest.mark.parametrize("how", ["hang", "cut"])
async def test_an_answer_that_is_lost_is_unknown_and_ends_in_time(bench: Bench, how: str) -> None:
    bench.behave(how)
    async with asyncio.timeout(10):
        assert isinstance(await bench.channel().send(bench.address, PAYLOAD, "k"), Unknown)


async def test_a_refusal_is_not_sent(bench: Bench) -> None:
    bench.behave("refuse")

    assert not isinstance(await bench.channel().send(bench.address, PAYLOAD, "k"), Sent)


async def test_odd_payloads_raise_nothing(bench: Bench) -> None:
    payloads: list[dict[str, Any]] = [
        {},
        {"subject": "a\r\nBcc: x@y", "body": None},
        {"body": "\0\n.\n", "n": 1},
    ]
    for payload in payloads:
        assert isinstance(await bench.channel().send(bench.address, payload, "k"), Sent | Failed | Unknown)


async def test_secrets_of_an_address_never_stand_in_a_result(bench: Bench) -> None:
    bench.behave("refuse")
    odd = ("json" if bench.kind == "apprise" else "http") + "://[/?token=secret"
    results = [
        await bench.channel().send(bench.address, PAYLOAD, "k"),
        await bench.channel("http://127.0.0.1:1/?token=secret").send(bench.address, PAYLOAD, "k"),
        await bench.channel().send(odd, {}, "k"),
    ]

    assert "secret" not in str(results)
