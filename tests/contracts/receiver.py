"""The far side of a webhook: a real HTTP server on loopback that counts effects by their key."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Receiver:
    """Counts calls and effects: a key that comes again has no second effect."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: Counter[str] = Counter()
        self.bodies: list[Any] = []
        self.headers: list[Any] = []
        self.heard = asyncio.Event()
        self.answer: Answer | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.headers.append(request.headers)
        self.calls[request.headers.get("Idempotency-Key", "")] += 1
        self.heard.set()
        return await self.answer(request) if self.answer else web.json_response({"ok": True})


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """Serve on a free loopback port."""
    place = Receiver()
    server = web.Server(place.handle)
    listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    place.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/hook?token=secret"
    yield place
    listening.close()
    await server.shutdown(0.1)
