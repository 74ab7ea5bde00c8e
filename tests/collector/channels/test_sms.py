from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from collector.channels.port import Failed, Result, Sent
from collector.channels.sms import SmsGateway
from collector.settings import Sms

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
PAYLOAD = {"subject": "较大事件待确认", "body": "网页篡改 & more"}
Send = Callable[..., Awaitable[Result]]


class Gateway:
    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], str]] = []
        self.answer = '{"code": 0, "id": "m-1"}'

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        text = (await request.read()).decode()
        self.asked.append((f"{request.method} {request.path_qs}", dict(request.headers), text))
        return web.Response(text=self.answer)


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
async def send(gateway: Gateway) -> AsyncIterator[Send]:
    runner = web.ServerRunner(web.Server(gateway.handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/send"
    opened: list[SmsGateway] = []

    async def sent(form: Sms, address: str = "138-0000-0000", url: str = url) -> Result:
        opened.append(SmsGateway("sms", url, form, secret="s3cret", now=lambda: NOON))
        return await opened[-1].send(address, PAYLOAD, "i/k")

    yield sent
    for one in opened:
        await one.close()
    await runner.cleanup()


async def test_json_is_encoded_from_values(gateway: Gateway, send: Send) -> None:
    form = Sms(body={"to": ["{phone}"], "msg": "{text:12}", "at": "{time}"}, headers={"X-Key": "{secret}"})
    assert await send(form) == Sent({"status": 200})

    line, headers, text = gateway.asked[0]
    assert line == "POST /send"
    assert text == '{"to":["13800000000"],"msg":"较大事件待确认\\n网页篡…","at":1772424000}'
    assert (headers["X-Key"], headers["Idempotency-Key"]) == ("s3cret", "i/k")


async def test_a_form_and_a_query_are_escaped(gateway: Gateway, send: Send) -> None:
    body: dict[str, Any] = {"to": "{phone}", "msg": "{text}"}
    await send(Sms(body=body, encoding="form"))
    await send(Sms(body=body, encoding="query", method="GET"))

    assert gateway.asked[0][2].endswith("+%26+more")
    assert gateway.asked[1][0].startswith("GET /send?to=13800000000&msg=")
    assert gateway.asked[1][0].endswith("+%26+more")


async def test_a_query_goes_on_where_the_address_has_one(gateway: Gateway, send: Send) -> None:
    form = Sms(body={"to": "{phone}"}, encoding="query", method="GET")
    result = await send(form)
    assert isinstance(result, Sent)
    assert gateway.asked[0][0] == "GET /send?to=13800000000"


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        ('{"code": 0, "id": "m-1"}', True),
        ('{"code": "OK"}', True),
        ('{"code": 7, "why": "no money"}', False),
        ("{}", False),
        ("[]", False),
        ("fine", False),
    ],
)
async def test_what_the_gateway_says_in_its_body_counts(
    gateway: Gateway,
    send: Send,
    answer: str,
    taken: bool,  # noqa: FBT001 - a column of the table
) -> None:
    gateway.answer = answer
    result = await send(Sms(body={"to": "{phone}"}, accepted={"code": ("0", "OK")}))

    assert isinstance(result, Sent if taken else Failed)
    assert not (isinstance(result, Failed) and result.permanent)


async def test_a_gateway_that_repeats_the_secret_does_not_bring_it_into_the_journal(
    gateway: Gateway, send: Send
) -> None:
    gateway.answer = '{"code": "bad key s3cret"}'
    result = await send(Sms(body={"to": "{phone}"}, accepted={"code": ("0",)}))

    assert isinstance(result, Failed)
    assert "s3cret" not in result.why


async def test_an_address_that_is_no_number_goes_nowhere(gateway: Gateway, send: Send) -> None:
    result = await send(Sms(body={"to": "{phone}"}), "http://10.0.0.1/")

    assert isinstance(result, Failed)
    assert result.permanent
    assert gateway.asked == []
