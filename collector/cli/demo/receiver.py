"""The far end of the demo's notices: a webhook receiver on loopback that says what it got."""

from collections.abc import Callable

from aiohttp import web


class Receiver:
    """Accepts notices by POST and hands each new one, told by its key, to `heard`."""

    def __init__(self, heard: Callable[[str, str], None]) -> None:
        self._heard = heard
        self._keys: set[str] = set()
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen on a free port of loopback and return the receiver's address."""
        app = web.Application(client_max_size=1 << 20)
        app.router.add_post("/notices/{person}", self._take)
        app.router.add_post("/notices", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port = self._runner.addresses[0][1]
        return f"http://127.0.0.1:{port}/notices"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        key = request.headers.get("Idempotency-Key", "")
        notice = await request.json()
        if key not in self._keys:
            self._keys.add(key)
            self._heard(request.match_info.get("person", ""), str(notice.get("subject", "")))
        return web.json_response({"ok": True})
