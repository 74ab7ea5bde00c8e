"""A token against a node id and a certificate."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509

from collector.store import journal, nodes
from collector.trust.ca import node_of
from tests.collector.ingest.tower import Tower, request_certificate
from wire.codec import encode


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
    from collector.trust.tokens import read_token  # noqa: PLC0415 - of this test only

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
