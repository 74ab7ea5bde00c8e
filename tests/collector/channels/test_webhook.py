from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from collector.channels.calling import MAX_ANSWER
from collector.channels.port import Failed, Sent
from collector.channels.signing import verify
from collector.channels.webhook import Webhook, open_webhook
from collector.settings import ChannelSettings
from tests.contracts.receiver import Receiver, receiver


@pytest.fixture
async def place() -> AsyncIterator[Receiver]:
    async with receiver() as opened:
        yield opened


@pytest.fixture
async def hook(place: Receiver) -> AsyncIterator[Webhook]:
    channel = Webhook("duty", place.url, timedelta(seconds=5))
    yield channel
    await channel.close()


async def test_the_payload_is_posted_with_its_key(hook: Webhook, place: Receiver) -> None:
    assert await hook.send("", {"subject": "s"}, "k") == Sent({"status": 200})
    assert place.bodies == [{"subject": "s"}]
    assert place.headers[0]["Idempotency-Key"] == "k"
    assert place.headers[0]["Content-Type"] == "application/json"


async def test_an_openc2_command_goes_out_as_what_it_is(hook: Webhook, place: Receiver) -> None:
    deny = {"action": "deny", "target": {"ipv4_net": "198.51.100.7"}, "command_id": "c-1"}
    message = {"headers": {}, "body": {"openc2": {"request": deny}}}
    for payload in (deny, message):
        await hook.send("", payload, "k")

    sent = [(headers["Content-Type"], headers["X-Request-ID"]) for headers in place.headers]
    assert sent == [
        ("application/openc2-cmd+json;version=1.0", "c-1"),
        ("application/openc2+json;version=1.0", "k"),
    ]


@pytest.mark.parametrize(
    ("status", "permanent"), [(400, True), (404, True), (429, False), (500, False), (503, False)]
)
async def test_a_refusal_is_for_good_or_not_by_its_status(
    hook: Webhook,
    place: Receiver,
    status: int,
    permanent: bool,  # noqa: FBT001 - a column of the table
) -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text="why", headers={"Retry-After": "7"})

    place.answer = refuse
    result = await hook.send("", {}, "k")

    assert isinstance(result, Failed)
    assert (result.permanent, result.why) == (permanent, f"HTTP {status}: why")
    assert result.retry_after == (None if permanent else timedelta(seconds=7))


async def test_redirects_are_not_followed(hook: Webhook, place: Receiver) -> None:
    async def elsewhere(_: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": place.url + "&again"})

    place.answer = elsewhere
    result = await hook.send("", {}, "k")

    assert isinstance(result, Failed)
    assert result.permanent
    assert place.calls["k"] == 1


async def test_an_answer_without_end_is_cut_off(hook: Webhook, place: Receiver) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(4 * MAX_ANSWER // 1024):
            await response.write(b"x" * 1024)
        return response

    place.answer = flood
    assert isinstance(await hook.send("", {}, "k"), Sent)


@pytest.mark.parametrize("address", ["ftp://host/", "json://host/", "file:///etc/passwd", "host"])
async def test_only_http_is_spoken(address: str) -> None:
    result = await Webhook("duty").send(address, {}, "k")

    assert isinstance(result, Failed)
    assert result.permanent


async def test_a_date_as_retry_after_is_no_number_of_seconds(hook: Webhook, place: Receiver) -> None:
    async def busy(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503, headers={"Retry-After": "Mon, 02 Mar 2026 04:00:00 GMT"})

    place.answer = busy
    result = await hook.send("", {}, "k")

    assert isinstance(result, Failed)
    assert result.retry_after is None


async def test_with_a_secret_the_receiver_can_tell_that_it_is_ours(place: Receiver, tmp_path: Path) -> None:
    noon = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_bytes(b"0123456789abcdef\n")
    settings = ChannelSettings(name="duty", kind="webhook", url=place.url, secret_file=str(secret))
    channel = open_webhook(settings, lambda: noon)
    await channel.send("", {"subject": "s"}, "i/k")
    await channel.close()
    headers = {name.lower(): value for name, value in place.headers[0].items()}

    assert headers["webhook-id"] == headers["idempotency-key"] == "i/k"
    assert verify(b"0123456789abcdef", headers, b'{"subject":"s"}', noon)
