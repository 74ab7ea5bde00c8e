"""Who a certificate's bearer is."""

import asyncio

import pytest

from collector.errors import RetryableError
from collector.ingest import standings
from collector.ingest.answers import RefusedError
from collector.ingest.standings import Standings
from collector.ingest.tally import Tally
from collector.store.nodes import Standing
from collector.tasks import spawn


class Register:
    def __init__(self) -> None:
        self.nodes = {"n1": Standing("n1", "city", "agent", "active")}
        self.looks = 0
        self.away = False
        self.looked = asyncio.Event()

    async def find(self, node: str) -> Standing | None:
        self.looks += 1
        return self.nodes.get(node)

    async def revoked(self) -> set[str]:
        self.looked.set()
        if self.away:
            raise RetryableError("away")
        return {node for node, standing in self.nodes.items() if standing.state != "active"}

    def revoke(self) -> None:
        self.nodes["n1"] = Standing("n1", "city", "agent", "revoked")


async def _active(known: Standings, node: str) -> bool:
    try:
        await known.active(node)
    except RefusedError:
        return False
    return True


async def test_the_store_is_asked_once_a_node() -> None:
    register = Register()
    known = Standings(register.find, register.revoked, Tally())
    for _ in range(3):
        assert (await known.active("n1")).unit == "city"
    assert register.looks == 1


async def test_unknown_and_revoked_nodes_are_told_apart() -> None:
    register = Register()
    register.revoke()
    known = Standings(register.find, register.revoked, Tally())
    for node, reason in (("n1", "revoked"), ("n2", "identity")):
        with pytest.raises(RefusedError) as refused:
            await known.active(node)
        assert (refused.value.reason, refused.value.status) == (reason, 403)


async def test_a_revocation_by_another_process_is_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standings, "REFRESH_SECONDS", 0.01)
    register, tally = Register(), Tally()
    known = Standings(register.find, register.revoked, tally)
    await known.active("n1")
    register.away = True
    task = spawn("standings", known.keep_fresh(), lambda *_: None)
    async with asyncio.timeout(5):
        await register.looked.wait()
        register.away = False
        register.revoke()
        while await _active(known, "n1"):  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0)
    task.cancel()
    assert tally.refused["standings_refresh"] >= 1


async def test_what_is_forgotten_is_asked_again() -> None:
    register = Register()
    known = Standings(register.find, register.revoked, Tally())
    await known.active("n1")
    register.revoke()
    known.forget("n1")
    with pytest.raises(RefusedError):
        await known.active("n1")
