"""Two writers under one key that never met at one number are found by their epochs, and told once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from collector.stages.clones import Clones, cloned
from collector.store import nodes
from collector.store.facts import NodeRow as Teller
from collector.store.nodes import NodeRow
from tests.collector.stages.conftest import NOON

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.incident import Finding
    from collector.stages import Item
    from collector.store.engine import Store

NODE = NodeRow(
    id="n",
    unit="city",
    kind="agent",
    state="active",
    host_name="web-1",
    machine_id="m",
    assets=[],
    certificate_serial="1",
    certificate_expires=NOON,
    enrolled_at=NOON,
)


class Hearing:
    """A stage that hears batches of nodes, and what it opened."""

    def __init__(self, store: Store, make_item: Callable[..., Item]) -> None:
        self.store = store
        self.make_item = make_item
        self.opened: list[str] = []
        self.stage = Clones(self._open)
        self.position = 0

    async def _open(self, _conn: object, finding: Finding, *_: object) -> str:
        self.opened.append(finding.fingerprint)
        return "incident"

    async def hear(self, epochs: str, *, node: str = "n", later: timedelta = timedelta(0)) -> None:
        for epoch in epochs:
            self.position += 1
            item = self.make_item(
                "gap",
                {"kind": "x"},
                place=f"{self.position}/{epoch}/1",
                node=Teller(id=node, unit="city", host_name="web-1", assets=[]),
                received_at=NOON + later,
            )
            async with self.store.write() as conn:
                assert await self.stage.apply(conn, item) is item

    async def row(self) -> NodeRow:
        async with self.store.read() as conn:
            found = await nodes.node(conn, "n")
        assert found is not None
        return found


@pytest.fixture
async def hearing(sqlite_state: Store, make_item: Callable[..., Item]) -> Hearing:
    async with sqlite_state.write() as conn:
        await nodes.add_node(conn, NODE)
        await nodes.add_node(conn, replace(NODE, id="other", host_name="web-2"))
    return Hearing(sqlite_state, make_item)


async def test_two_that_write_by_turns_lose_their_key_and_there_is_one_incident(hearing: Hearing) -> None:
    await hearing.hear("ababababab")
    assert hearing.opened == ["n/cloned"]
    assert ((await hearing.row()).cloned_at, (await hearing.row()).certificate_serial) == (NOON, "")


@pytest.mark.parametrize("epochs", ["aaaa", "aabbcc", "abcdefgh", "aaba", "abaaaa"])
async def test_one_that_begins_anew_is_no_two_and_neither_is_one_late_batch(
    hearing: Hearing, epochs: str
) -> None:
    await hearing.hear(epochs)
    assert hearing.opened == []


async def test_epochs_of_two_nodes_are_two_matters(hearing: Hearing) -> None:
    for _ in range(5):
        await hearing.hear("a")
        await hearing.hear("b", node="other")
    assert hearing.opened == []


async def test_what_is_read_again_after_a_write_that_was_rolled_back_is_no_return(hearing: Hearing) -> None:
    for _ in range(5):
        await hearing.hear("ab")
        hearing.position = 0
    assert hearing.opened == []


async def test_who_goes_on_with_a_fresh_key_is_left_alone_and_so_is_what_came_under_the_old_one(
    hearing: Hearing,
) -> None:
    """The listener of another process takes the old key for some seconds more."""
    await hearing.hear("abab")
    async with hearing.store.write() as conn:
        assert await nodes.claim_clone(conn, "n", "2", NOON)
    await hearing.hear("ababab", later=timedelta(seconds=5))
    await hearing.hear("aaaaaa", later=timedelta(minutes=2))
    assert (await hearing.row()).certificate_serial == "2"
    assert hearing.opened == ["n/cloned"]


async def test_a_key_that_is_cloned_again_is_found_again(hearing: Hearing) -> None:
    await hearing.hear("abab")
    async with hearing.store.write() as conn:
        assert await nodes.claim_clone(conn, "n", "2", NOON)
    await hearing.hear("aacac", later=timedelta(minutes=2))
    assert (await hearing.row()).certificate_serial == ""
    assert hearing.opened == ["n/cloned"] * 2


@pytest.mark.parametrize("language", ["title", "title_en"])
def test_the_alert_names_the_host_and_is_one_a_node(language: str) -> None:
    found = cloned(NODE, NOON)

    assert "web-1" in getattr(found, language)
    assert found.fingerprint == cloned(NODE, NOON + timedelta(days=1)).fingerprint
