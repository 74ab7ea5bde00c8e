"""A token, or an old certificate, against a node id and a certificate; two hosts with one key get two."""

import asyncio
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from collector.store import journal, nodes, tokens
from collector.trust.ca import node_of
from collector.trust.tokens import digest, read_token
from tests.collector.ingest.tower import Identity, Tower, batch, client_context, request_certificate
from wire.codec import encode
from wire.messages import VERSION, EnrolmentRequest


def pem_bytes(csr: str) -> bytes:
    return x509.load_pem_x509_csr(csr.encode()).public_bytes(serialization.Encoding.DER)


def pem_text(der: bytes) -> str:
    lines = b64encode(der).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{lines}\n-----END CERTIFICATE REQUEST-----\n"


async def post(tower: Tower, **changed: object) -> tuple[int, dict[str, Any]]:
    asked = {"version": 1, "csr": request_certificate()[1], "host_name": "web-1", "machine_id": "m-1"}
    body = encode({**asked, **changed})
    async with tower.session() as session, session.post("/v1/enrol", data=body) as answer:
        return answer.status, await answer.json()


async def test_a_token_makes_a_node_of_its_unit(tower: Tower) -> None:
    status, said = await post(tower, token=await tower.token(), assets=["portal"])

    assert status == 201
    certificate = x509.load_pem_x509_certificate(said["certificate"].encode())
    assert node_of(certificate) == said["node"]
    assert said["authorities"] == tower.authority.trusted
    async with tower.store.read() as connection:
        row = await nodes.node(connection, said["node"])
        entries = [entry async for entry in journal.read_chains(connection)]
    assert row is not None
    assert (row.unit, row.kind, row.state, row.host_name, row.assets) == (
        "city",
        "agent",
        "active",
        "web-1",
        ["portal"],
    )
    assert row.certificate_serial == f"{certificate.serial_number:x}"
    assert [(entry.action, entry.subject) for entry in entries] == [("node.enrolled", f"node:{row.id}")]


async def test_the_secret_alone_is_as_good_as_the_whole_token(tower: Tower) -> None:
    secret = read_token(await tower.token()).secret
    assert (await post(tower, token=secret))[0] == 201


async def test_a_token_is_good_for_its_uses_and_its_time(tower: Tower) -> None:
    token = await tower.token(uses=2)
    answers = await asyncio.gather(*(post(tower, token=token) for _ in range(3)))
    assert sorted(status for status, _ in answers) == [201, 201, 403]

    late = await tower.token(life=timedelta(minutes=5))
    tower.now += timedelta(minutes=5)
    status, said = await post(tower, token=late)
    assert (status, said["type"]) == (403, "urn:fengsui:problem:token")
    assert tower.tally.refused["token"] == 2


@pytest.mark.parametrize("token", ["", "fs1.damaged", "guessed", "fs1." + "A" * 2000])
async def test_a_guess_is_no_token(tower: Tower, token: str) -> None:
    status, said = await post(tower, token=token)
    assert (status, said["type"]) == (403, "urn:fengsui:problem:token")


async def test_a_classified_asset_is_refused_and_the_token_stays_good(tower: Tower) -> None:
    token = await tower.token()
    status, said = await post(tower, token=token, assets=["portal", "vault"])
    assert (status, said["type"]) == (403, "urn:fengsui:problem:classified")
    assert "vault" in said["detail"]
    assert (await post(tower, token=token, assets=["portal"]))[0] == 201


async def test_a_bad_request_for_a_certificate_is_told_and_the_token_stays_good(tower: Tower) -> None:
    token = await tower.token()
    status, said = await post(tower, token=token, csr="no pem")
    assert (status, said["type"]) == (400, "urn:fengsui:problem:csr")
    assert (await post(tower, token=token))[0] == 201


async def test_a_classified_asset_is_not_renewed_either(tower: Tower) -> None:
    agent = await tower.enrol()
    asked = {
        "version": 1,
        "token": "",
        "csr": request_certificate()[1],
        "host_name": "w",
        "assets": ["vault"],
    }
    async with tower.session(agent) as session, session.post("/v1/enrol", data=encode(asked)) as answer:
        assert answer.status == 403
    assert tower.tally.refused["classified"] == 1


async def send(tower: Tower, bearer: Identity, body: bytes) -> tuple[int, str]:
    async with tower.session(bearer) as session, session.post("/v1/batches", data=body) as answer:
        said = await answer.json(content_type=None)
        return answer.status, said.get("reason") or str(said.get("type", "")).rpartition(":")[2]


async def rekey(tower: Tower, bearer: Identity, host: str) -> Identity:
    key, csr = request_certificate()
    asked = EnrolmentRequest(version=VERSION, token="", csr=csr, host_name=host)
    async with tower.session(bearer) as session, session.post("/v1/enrol", data=encode(asked)) as answer:
        assert answer.status == 200, await answer.text()
        said = await answer.json()
    return Identity(said["node"], said["unit"], key, said["certificate"], said["authorities"])


async def test_both_bearers_of_a_cloned_key_get_a_fresh_one_and_there_is_one_alert(tower: Tower) -> None:
    one = await tower.enrol()
    assert await send(tower, one, batch(1, 2, "r")) == (200, "")

    assert await send(tower, one, batch(1, 3, "x")) == (409, "fork")
    held = [await send(tower, one, batch(3, 3, "r")), await send(tower, one, batch(1, 3, "x"))]
    first, second = await rekey(tower, one, "web-1"), await rekey(tower, one, "web-1-copy")

    assert held == [(403, "rekey"), (403, "rekey")]
    assert tower.alerts == [one.node]
    assert first.node == one.node
    assert second.node != one.node
    assert (first.unit, second.unit) == ("city", "city")
    assert (await send(tower, first, batch(3, 3, "r")))[0] == 200
    assert (await send(tower, second, batch(1, 3, "x")))[0] == 200
    assert (await send(tower, one, batch(4, 4, "r")))[1] == "rekey"


async def test_a_renewal_of_the_fresh_certificate_keeps_its_node(tower: Tower) -> None:
    one = await tower.enrol()
    await send(tower, one, batch(1, 2, "r"))
    await send(tower, one, batch(1, 3, "x"))
    first = await rekey(tower, one, "web-1")

    again = await rekey(tower, first, "web-1")

    assert again.node == one.node
    tower.standings.forget(one.node)
    assert (await send(tower, again, batch(3, 3, "r")))[0] == 200


async def test_a_rebuilt_host_takes_the_place_of_what_it_was_without_a_person(tower: Tower) -> None:
    old = await tower.enrol()
    tower.now += timedelta(minutes=5)

    new = await tower.enrol()

    async with tower.store.read() as conn:
        was, is_now = await nodes.node(conn, old.node), await nodes.node(conn, new.node)
    assert was is not None
    assert is_now is not None
    assert (was.state, is_now.state) == ("replaced", "active")
    assert (await send(tower, old, batch(1, 1, "r")))[0] == 200  # a namesake after all: nothing of it is lost


async def test_a_namesake_that_is_alive_is_not_replaced(tower: Tower) -> None:
    old = await tower.enrol()

    await tower.enrol()

    async with tower.store.read() as conn:
        was = await nodes.node(conn, old.node)
    assert was is not None
    assert was.state == "active"


async def uses_left(tower: Tower, token: str) -> int | None:
    async with tower.store.read() as connection:
        row = await nodes.find_token(connection, digest(read_token(token).secret), tower.now)
    return row.uses_left if row else None


async def test_whoever_lost_the_answer_gets_the_same_node_again_and_spends_no_use(tower: Tower) -> None:
    """The line is cut as soon as the node is committed: what was answered never comes."""
    token, (key, csr) = await tower.token(uses=2), request_certificate()
    body = encode(EnrolmentRequest(version=VERSION, token=token, csr=csr, host_name="web-1"))
    seen = tower.store.changed.count
    trusted = client_context(tower.authority.trusted, "", b"", tower.folder)
    _, writer = await asyncio.open_connection("localhost", tower.port, ssl=trusted)
    writer.write(b"POST /v1/enrol HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    await tower.store.changed.wait(seen)
    writer.transport.abort()
    tower.now += timedelta(minutes=2)

    status, said = await post(tower, token=token, csr=csr)

    assert status == 201
    async with tower.store.read() as connection:
        rows = await nodes.trust_of_nodes(connection)
        entries = [entry async for entry in journal.read_chains(connection)]
    assert [row.id for row in rows] == [said["node"]]
    assert await uses_left(tower, token) == 1
    enrolled = [entry for entry in entries if entry.action == "node.enrolled"]
    assert [bool((entry.detail or {}).get("again")) for entry in enrolled] == [False, True]
    again = Identity(said["node"], said["unit"], key, said["certificate"], said["authorities"])
    assert await send(tower, again, batch(1, 1, "r")) == (200, "")


async def test_a_spent_token_lets_in_no_other_key(tower: Tower) -> None:
    token, (_, csr) = await tower.token(), request_certificate()
    first = await post(tower, token=token, csr=csr)

    other, same = await post(tower, token=token), await post(tower, token=token, csr=csr)

    assert [first[0], other[0], same[0]] == [201, 403, 201]
    assert same[1]["node"] == first[1]["node"]


async def test_a_request_without_proof_that_its_key_is_there_is_refused_again_too(tower: Tower) -> None:
    token, (_, csr) = await tower.token(), request_certificate()
    await post(tower, token=token, csr=csr)
    der = bytearray(pem_bytes(csr))
    der[-3] ^= 1  # the signature, which only the key's owner can make

    status, said = await post(tower, token=token, csr=pem_text(bytes(der)))

    assert (status, said["type"]) == (403, "urn:fengsui:problem:token")


async def test_two_at_once_with_one_key_are_one_node(tower: Tower) -> None:
    token, (_, csr) = await tower.token(uses=3), request_certificate()

    answers = await asyncio.gather(*(post(tower, token=token, csr=csr) for _ in range(3)))

    assert [status for status, _ in answers] == [201] * 3
    assert len({said["node"] for _, said in answers}) == 1
    assert await uses_left(tower, token) == 2


@pytest.mark.parametrize("since", ["renewed", "cloned", "removed", "token over", "token taken back"])
async def test_what_happened_since_ends_the_way_back_in(tower: Tower, since: str) -> None:
    token, (key, csr) = await tower.token(), request_certificate()
    _, said = await post(tower, token=token, csr=csr)
    one = Identity(said["node"], said["unit"], key, said["certificate"], said["authorities"])
    if since == "renewed":
        await rekey(tower, one, "web-1")
    elif since == "cloned":
        await tower.store.run(lambda conn: nodes.mark_cloned(conn, one.node, tower.now))
    elif since == "removed":
        await tower.store.run(lambda conn: nodes.revoke_node(conn, one.node, tower.now))
    elif since == "token over":
        tower.now += timedelta(hours=1)
    else:
        token = await tower.token(uses=2)
        await post(tower, token=token, csr=csr)
        async with tower.store.read() as conn:
            row = await nodes.find_token(conn, digest(read_token(token).secret), tower.now)
        assert row is not None
        assert await tower.store.run(lambda conn: tokens.revoke_token(conn, row.id, tower.now))

    status, said = await post(tower, token=token, csr=csr)

    assert (status, said["type"]) == (403, "urn:fengsui:problem:token")
