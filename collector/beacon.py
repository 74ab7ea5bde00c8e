"""A beacon: answers whoever asks with the source address it saw, signed (`wire.beacon`).

An authority runs it at an address it names to its agents. It keeps nothing, looks nothing up and starts no
connection. A question that is none, a second one, or a slow one ends the connection; so do more than 64 at
once.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wire import beacon

_MOST = 64
_SECONDS = 5.0


class Beacon:
    """Answers questions.

    Attributes:
        answered, refused: How many.
    """

    def __init__(self, key: Ed25519PrivateKey, clock: Callable[[], datetime]) -> None:
        self._key = key
        self._clock = clock
        self._open = 0
        self.answered = self.refused = 0

    async def serve(self, host: str, port: int) -> asyncio.Server:
        """Listen.

        Raises:
            OSError: the address is taken, or not ours.
        """
        return await asyncio.start_server(self._connected, host, port, limit=beacon.MAX_BYTES)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            async with asyncio.timeout(_SECONDS):
                if self._open > _MOST:
                    raise beacon.BeaconError("too many at once")  # noqa: TRY301 - one way to refuse
                nonce = beacon.asked(await reader.readuntil(b"\n"))
                writer.write(self.answer(nonce, writer.get_extra_info("peername")[0]))
                await writer.drain()
            self.answered += 1
        except (
            beacon.BeaconError,
            TimeoutError,
            OSError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
        ):
            self.refused += 1
        finally:
            self._open -= 1
            writer.close()

    def answer(self, nonce: str, address: str) -> bytes:
        """Return the line that answers a question from an address."""
        found = ip_address(address.partition("%")[0])
        plain = (found.ipv4_mapped if found.version == 6 else None) or found
        body = msgspec.json.encode(beacon.Saw(nonce, str(plain), self._clock()))
        return beacon.encode(beacon.Answer(body, self._key.sign(beacon.signed(body))))
