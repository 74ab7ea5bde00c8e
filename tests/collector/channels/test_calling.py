from datetime import timedelta

import pytest
from aiohttp import web

from collector.channels.calling import Answer, Caller, is_http, place
from collector.channels.port import Failed, Unknown
from tests.contracts.receiver import receiver


@pytest.mark.parametrize("url", ["", "ftp://h/", "http://", "http://[", "http://h:0/", "//h/", "file:///x"])
def test_only_http_with_a_host_is_http(url: str) -> None:
    assert not is_http(url)
    assert is_http("https://h:8443/x?y")


def test_a_place_tells_neither_path_nor_query_nor_password() -> None:
    assert place("https://user:pass@host:8443/hook?token=x") == "host:8443"
    assert place("https://host/hook") == "host"


async def test_an_answer_is_kept_a_refusal_told_and_a_lost_one_unknown() -> None:
    caller = Caller(timedelta(seconds=2))
    async with receiver() as far:
        taken = await caller.call("POST", far.url, data=b"{}", headers={})

        async def refuse(_: web.Request) -> web.StreamResponse:
            return web.Response(status=503, text="later", headers={"Retry-After": "99999"})

        far.answer = refuse
        refused = await caller.call("POST", far.url, data=b"{}", headers={})

        async def cut(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        far.answer = cut
        lost = await caller.call("POST", far.url, data=b"{}", headers={})
    nowhere = await caller.call("POST", "http://127.0.0.1:1/", data=b"{}", headers={})
    await caller.close()

    assert isinstance(taken, Answer)
    assert taken.body == b'{"ok": true}'
    assert refused == Failed(permanent=False, why="HTTP 503: later", retry_after=timedelta(hours=1))
    assert isinstance(lost, Unknown)
    assert isinstance(nowhere, Failed)
