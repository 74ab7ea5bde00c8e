"""DingTalk, WeCom, Feishu, mail and a hundred others by apprise's addresses, in a thread of its own.

Apprise answers true or false, and false also where a slow gateway delivers after all: so false is *unknown*.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from ..settings import ChannelSettings
from .port import Failed, Result, Sent, Unknown

_THREADS = 4


class Apprise:
    """Sends subject and body.

    Args:
        name: Its name in the settings.
        url: Apprise address for people who have none of their own; it holds secrets and is never shown.
        timeout: After which the answer is not waited for any more.
    """

    def __init__(self, name: str, url: str = "", timeout: timedelta = timedelta(seconds=30)) -> None:
        self.name = name
        self._url = url
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(_THREADS, f"channel-{name}")

    async def send(self, address: str, payload: Mapping[str, Any], key: str) -> Result:
        """Send; the key stands at the end of the text, for people who get it twice."""
        subject, body = str(payload.get("subject", "")), f"{payload.get('body', '')}\n\n[{key}]"
        loop = asyncio.get_running_loop()
        call = loop.run_in_executor(self._threads, _notify, address or self._url, subject, body)
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                return await asyncio.shield(call)
        except TimeoutError:
            return Unknown(f"no answer within {self._timeout.total_seconds():g} s")

    async def close(self) -> None:
        """Let the threads end; one that hangs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def open_apprise(settings: ChannelSettings, now: Callable[[], datetime]) -> Apprise:
    """Return the channel of the settings; it needs no clock."""
    del now
    return Apprise(settings.name, settings.url, settings.timeout)


def _notify(address: str, subject: str, body: str) -> Result:
    # A quarter of a second, a hundred plugins at first use: too much for a start and for the loop's thread.
    import apprise  # noqa: PLC0415 - see above

    server = apprise.Apprise()
    try:
        if not server.add(address):
            return Failed(permanent=True, why="not an address that apprise knows")
        answer = server.notify(title=subject, body=body)
    except Exception as error:  # noqa: BLE001 - the edge to a hundred plugins: told as unknown, kept in the row
        return Unknown(f"apprise raised {type(error).__name__}")
    return Sent() if answer else Unknown("apprise says it did not send; it may arrive all the same")
