"""Rows of nodes and their enrolment tokens."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from collector.store import nodes
from collector.store.engine import Store
from collector.store.facts import Fact, put_heartbeats
from collector.store.nodes import NodeRow, Standing, TokenRow

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
NODE = NodeRow(
    id="n1",
    unit="city",
    kind="agent",
    state="active",
    host_name="web-1",
    machine_id="m",
    assets=["portal"],
    certificate_serial="ab",
    certificate_expires=NOW + timedelta(days=90),
    enrolled_at=NOW,
)
TOKEN = TokenRow(
    id="t1",
    secret_sha256="digest",
    unit="city",
    kind="agent",
    created_at=NOW,
    expires_at=NOW + timedelta(hours=1),
    uses_left=2,
)


@pytest.fixture
def store(state: Store) -> Store:
    return state


async def test_a_node_is_read_back_as_it_was_stored(store: Store) -> None:
    await store.run(lambda connection: nodes.add_node(connection, NODE))
    async with store.read() as connection:
        assert await nodes.node(connection, "n1") == NODE
        assert await nodes.node(connection, "n2") is None
        assert await nodes.standing(connection, "n1") == Standing(
            "n1", "city", "agent", "active", serial="ab"
        )
        assert await nodes.standings(connection, ["n1", "n2"]) == {
            "n1": Standing("n1", "city", "agent", "active")
        }


async def test_a_node_is_revoked_once_and_renewed_no_more(store: Store) -> None:
    later = NOW + timedelta(days=180)
    await store.run(lambda connection: nodes.add_node(connection, NODE))

    assert await store.run(lambda connection: nodes.renew_node(connection, "n1", "cd", later))
    assert await store.run(lambda connection: nodes.revoke_node(connection, "n1", NOW))
    assert not await store.run(lambda connection: nodes.revoke_node(connection, "n1", NOW))
    assert not await store.run(lambda connection: nodes.renew_node(connection, "n1", "ef", later))
    async with store.read() as connection:
        row = await nodes.node(connection, "n1")
        assert row == replace(NODE, state="revoked", certificate_serial="cd", certificate_expires=later)
        assert await nodes.revoked_nodes(connection) == {"n1"}


async def test_a_token_is_found_while_it_lives_and_has_uses(store: Store) -> None:
    await store.run(lambda connection: nodes.add_token(connection, TOKEN))
    async with store.read() as connection:
        assert await nodes.find_token(connection, "digest", NOW) == TOKEN
        assert await nodes.find_token(connection, "other", NOW) is None
        assert await nodes.find_token(connection, "digest", TOKEN.expires_at) is None


async def test_of_two_who_take_the_same_use_one_gets_it(store: Store) -> None:
    await store.run(lambda connection: nodes.add_token(connection, replace(TOKEN, uses_left=1)))

    takes = [store.run(lambda connection: nodes.use_token(connection, TOKEN)) for _ in range(2)]
    assert sorted(await asyncio.gather(*takes)) == [False, True]
    async with store.read() as connection:
        left = await nodes.find_token(connection, "digest", NOW)
    assert left == replace(TOKEN, uses_left=0)


async def test_of_a_token_with_two_uses_two_who_read_it_at_once_get_one_each(store: Store) -> None:
    await store.run(lambda connection: nodes.add_token(connection, TOKEN))

    takes = [store.run(lambda connection: nodes.use_token(connection, TOKEN)) for _ in range(3)]

    assert sorted(await asyncio.gather(*takes)) == [False, True, True]


async def test_a_node_is_known_by_its_token_and_key_until_it_has_another_key(store: Store) -> None:
    enrolled = replace(NODE, enrolled_token="t", enrolled_key="k")
    await store.run(lambda connection: nodes.add_node(connection, enrolled))
    later = NOW + timedelta(days=1)

    async def known(token: str, key: str) -> str | None:
        async with store.read() as connection:
            return await nodes.enrolled_with(connection, token, key)

    assert [await known("t", "k"), await known("t", "other"), await known("other", "k")] == [
        NODE.id,
        None,
        None,
    ]
    await store.run(lambda conn: nodes.renew_node(conn, NODE.id, "cd", later, same_key=True))
    assert await known("t", "k") == NODE.id
    await store.run(lambda conn: nodes.renew_node(conn, NODE.id, "ef", later))
    assert await known("t", "k") is None


async def test_active_nodes_are_told_with_the_authorities_they_say_they_trust(state: Store) -> None:
    names = {"n1": "heard", "n2": "new", "n3": "old", "n4": "gone"}
    said = {"n1": {"authorities": "abc"}, "n3": {"version": "0.1.0"}, "n4": {"authorities": "abc"}}
    async with state.write() as connection:
        for key, name in names.items():
            at = "revoked" if name == "gone" else "active"
            await nodes.add_node(connection, replace(NODE, id=key, host_name=name, state=at))
        beats = {
            key: Fact(kind="heartbeat", body=body, observed_at=NOW, received_at=NOW)
            for key, body in said.items()
        }
        await put_heartbeats(connection, beats)
        found = await nodes.trust_of_nodes(connection)

    assert [(one.host_name, one.authorities) for one in found] == [("heard", "abc"), ("new", ""), ("old", "")]
