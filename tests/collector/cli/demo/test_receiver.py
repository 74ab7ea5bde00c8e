"""The demo's webhook receiver hears each notice once."""

import aiohttp

from collector.cli.demo.receiver import Receiver


async def test_a_notice_is_heard_once_however_often_it_is_sent() -> None:
    heard: list[tuple[str, str]] = []
    receiver = Receiver(lambda person, subject: heard.append((person, subject)))
    address = await receiver.start()
    async with aiohttp.ClientSession() as client:
        for key in ("one", "one", "two"):
            answer = await client.post(
                f"{address}/duty", json={"subject": "s"}, headers={"Idempotency-Key": key}
            )
            assert answer.status == 200
    await receiver.stop()

    assert heard == [("duty", "s"), ("duty", "s")]
