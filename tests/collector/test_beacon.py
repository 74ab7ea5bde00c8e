import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector.beacon import Beacon
from wire import beacon as wire

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()
NONCE = "ab" * 16


@pytest.fixture
async def served() -> AsyncIterator[tuple[Beacon, int]]:
    beacon = Beacon(KEY, lambda: NOW)
    server = await beacon.serve("127.0.0.1", 0)
    yield beacon, server.sockets[0].getsockname()[1]
    server.close()


async def tell(port: int, said: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    writer.write_eof()
    async with asyncio.timeout(10):
        heard = await reader.read()
    writer.close()
    return heard


async def test_it_says_which_source_address_it_saw_and_signs_it(served: tuple[Beacon, int]) -> None:
    beacon, port = served
    answer, saw = wire.decode(await tell(port, wire.question(NONCE)))

    KEY.public_key().verify(answer.signature, wire.signed(answer.body))
    assert saw == wire.Saw(NONCE, "127.0.0.1", NOW)
    assert beacon.answered == 1


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"", b"x" * 100_000, b"\xff\xfe\n"])
async def test_what_is_no_question_gets_no_word_and_is_counted(
    served: tuple[Beacon, int], said: bytes
) -> None:
    beacon, port = served
    try:
        heard = await tell(port, said)
    except ConnectionError:
        heard = b""

    assert heard == b""
    assert (beacon.answered, beacon.refused) == (0, 1)


async def test_a_client_that_was_mapped_into_ipv6_is_told_as_what_it_is() -> None:
    _, saw = wire.decode(Beacon(KEY, lambda: NOW).answer(NONCE, "::ffff:203.0.113.7"))

    assert saw.address == "203.0.113.7"
