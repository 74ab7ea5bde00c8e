import ssl
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web

from collector.authority.line import MAX_ANSWER, Line, RefusedError, UnreachableError
from collector.trust.superior import Superior
from tests.contracts.receiver import Receiver, receiver


@pytest.fixture
async def place() -> AsyncIterator[Receiver]:
    async with receiver() as opened:
        yield opened


@pytest.fixture
async def line(place: Receiver) -> AsyncIterator[Line]:
    superior = Superior(url=place.url.partition("/hook")[0] + "/", node="n", unit="city")
    opened = Line(superior, ssl.create_default_context(), timedelta(seconds=1))
    yield opened
    await opened.close()


def answer(place: Receiver, status: int, body: bytes = b"", **headers: str) -> None:
    async def say(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=headers)

    place.answer = say


async def test_the_answer_is_returned_whole(line: Line, place: Receiver) -> None:
    answer(place, 200, b"x" * 50_000)

    assert await line.post("/v1/filings", b"{}") == b"x" * 50_000


@pytest.mark.parametrize("status", [400, 413, 415, 422])
async def test_some_answers_are_for_good(line: Line, place: Receiver, status: int) -> None:
    answer(place, status, b"why")

    with pytest.raises(RefusedError, match=f"answered {status}: why"):
        await line.post("/", b"{}")


@pytest.mark.parametrize("status", [302, 401, 403, 404, 426, 429, 500, 503, 507])
async def test_others_may_pass_when_somebody_mends_them(line: Line, place: Receiver, status: int) -> None:
    answer(place, status, b"why", **{"Retry-After": "9", "Location": "/elsewhere"})

    with pytest.raises(UnreachableError, match="why") as caught:
        await line.post("/", b"{}")
    assert caught.value.retry_after == timedelta(seconds=9)


async def test_a_line_that_was_just_closed_may_be_made_anew(line: Line) -> None:
    await line.close()

    with pytest.raises(UnreachableError, match="just closed"):
        await line.post("/", b"{}")


async def test_an_answer_without_end_is_no_answer(line: Line, place: Receiver) -> None:
    answer(place, 200, b"x" * (2 * MAX_ANSWER))

    with pytest.raises(UnreachableError, match="more than"):
        await line.post("/", b"{}")
