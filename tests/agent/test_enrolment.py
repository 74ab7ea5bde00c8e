from __future__ import annotations

import os
import ssl
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agent import enrolment
from agent.enrolment import (
    Host,
    Identity,
    enrol,
    load_identity,
    make_key,
    read_token,
    renew,
    request_for,
    this_host,
)
from agent.texts import SaidError
from wire.messages import Enrolment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.clock import Clock
    from tests.agent.conftest import Authority, FarSide

HOST = Host("host-1", "machine", ("portal",))


@pytest.fixture
async def token(far_side: FarSide) -> str:
    text: str = far_side.authority.token(far_side.url)
    return text


async def failure(
    text: str, far_side: FarSide, folder: Path, now: Callable[[], datetime], url: str = ""
) -> SaidError:
    with pytest.raises(SaidError) as error:
        await enrol(text, url or far_side.url, folder, HOST, now)
    return error.value


async def test_a_token_becomes_an_identity_whose_key_was_made_here_and_is_its_owners_alone(
    far_side: FarSide, token: str, tmp_path: Path, clock: Clock
) -> None:
    identity = await enrol(token, "", tmp_path / "state", HOST, clock.now)

    assert (identity.node, identity.unit, identity.collector) == ("node-1", "district", far_side.url)
    key_file = identity.folder / "key.pem"
    assert stat.S_IMODE(os.stat(key_file).st_mode) == 0o600  # noqa: PTH116 - an async test
    assert stat.S_IMODE(os.stat(identity.folder).st_mode) == 0o700  # noqa: PTH116 - likewise
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"
    (asked,) = far_side.requests
    assert (asked.host_name, asked.machine_id, asked.assets) == ("host-1", "machine", ["portal"])
    assert "PRIVATE" not in asked.csr
    assert load_identity(tmp_path / "state") == identity


async def test_an_identity_proves_the_node_with_tls_1_3_and_trusts_its_authorities_alone(
    identity: Identity,
) -> None:
    tls = identity.tls()

    assert tls.minimum_version == ssl.TLSVersion.TLSv1_3
    assert [found["subject"] for found in tls.get_ca_certs()] == [((("commonName", "test authority"),),)]


async def test_a_renewed_identity_is_the_same_node_with_another_key(
    far_side: FarSide, identity: Identity, tmp_path: Path, clock: Clock
) -> None:
    old_key = (identity.folder / "key.pem").read_bytes()

    new = await renew(identity, far_side.url, tmp_path / "state", HOST, clock.now)

    assert new.node == identity.node
    assert (new.folder / "key.pem").read_bytes() != old_key
    assert far_side.requests[-1].token == ""


async def test_renewal_is_due_when_two_thirds_of_a_life_are_over(identity: Identity, clock: Clock) -> None:
    begin, end = identity.life()

    assert begin < clock.now() < identity.renewal_due() < end
    assert identity.renewal_due() - begin == (end - begin) * 2 / 3


async def test_a_collector_of_another_authority_is_told_nothing(
    far_side: FarSide, tmp_path: Path, clock: Clock
) -> None:
    other = type(far_side.authority)(tmp_path, "impostor")

    error = await failure(other.token(far_side.url), far_side, tmp_path / "state", clock.now)

    assert error.code == "wrong_authority"
    assert far_side.requests == []
    with pytest.raises(SaidError, match="enrol"):
        load_identity(tmp_path / "state")


async def test_a_collector_whose_certificate_ended_before_the_token_was_made_is_told_nothing(
    far_side: FarSide, tmp_path: Path, clock: Clock
) -> None:
    token = far_side.authority.token(far_side.url, made=clock.now() + timedelta(days=100))

    error = await failure(token, far_side, tmp_path / "state", clock.now)

    assert error.code == "wrong_authority"
    assert "before what this node trusts it by was made" in str(error)
    assert far_side.requests == []


@pytest.mark.parametrize("made", [-1, 10**12, "yesterday"])
def test_a_token_of_no_time_is_malformed(authority: Authority, made: object) -> None:
    good = authority.token("https://c:8443").removeprefix("fs1.")
    said = msgspec.json.decode(urlsafe_b64decode(good + "=" * (-len(good) % 4))) | {"made": made}
    with pytest.raises(SaidError, match="made") as error:
        read_token("fs1." + urlsafe_b64encode(msgspec.json.encode(said)).decode())
    assert error.value.code == "token_malformed"


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [(403, "token", "token_refused"), (403, "classified", "classified"), (503, "busy", "enrolment_failed")],
)
async def test_a_refusal_says_why_in_the_collectors_own_words(
    *, far_side: FarSide, token: str, tmp_path: Path, clock: Clock, status: int, reason: str, code: str
) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        await request.read()
        problem = {"type": f"urn:fengsui:problem:{reason}", "title": "No", "detail": "because"}
        return web.json_response(problem, status=status)

    far_side.behave["/v1/enrol"] = refuse

    error = await failure(token, far_side, tmp_path / "state", clock.now)

    assert error.code == code
    assert "because" in error.in_language("en")


@pytest.mark.parametrize(
    "text", ["", "fs2.abc", "fs1.", "fs1.e30", "fs1.!!!", "fs1.eyJ1cmwiOiJ4IiwiY2EiOiJ4Iiwic2VjcmV0IjoieCJ9"]
)
def test_a_token_that_cannot_be_read_says_what_to_paste(text: str) -> None:
    with pytest.raises(SaidError, match="token create") as error:
        read_token(text)

    assert error.value.code == "token_malformed"


async def test_a_collector_that_is_not_there_is_named(
    far_side: FarSide, token: str, tmp_path: Path, clock: Clock
) -> None:
    error = await failure(token, far_side, tmp_path / "state", clock.now, "https://127.0.0.1:1")

    assert error.code == "unreachable"
    assert "https://127.0.0.1:1" in str(error)


async def test_a_certificate_for_another_key_is_not_taken(
    far_side: FarSide, token: str, tmp_path: Path, clock: Clock
) -> None:
    other = request_for(make_key(), "other")
    sign = far_side.authority.sign
    far_side.authority.sign = lambda _, node: sign(other, node)

    error = await failure(token, far_side, tmp_path / "state", clock.now)

    assert error.code == "answer_malformed"
    assert "another key" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b'{"version": 9}',
        b'{"version":1,"node":"n","unit":"u","certificate":"x","authorities":"y"}',
    ],
)
async def test_an_answer_that_is_no_enrolment_is_not_taken(
    far_side: FarSide, token: str, tmp_path: Path, clock: Clock, body: bytes
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        return web.Response(body=body)

    far_side.behave["/v1/enrol"] = answer

    assert (await failure(token, far_side, tmp_path / "state", clock.now)).code == "answer_malformed"


async def test_a_state_folder_that_cannot_be_written_is_named(
    far_side: FarSide, token: str, tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "file").write_text("")

    error = await failure(token, far_side, tmp_path / "file", clock.now)

    assert error.code == "state_folder"
    assert "--state-dir" in str(error)


def test_a_folder_without_an_identity_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SaidError, match="fengsui-agent enrol"):
        load_identity(tmp_path)


def test_a_second_enrolment_replaces_the_identity_whole_and_keeps_the_old_one(
    tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "identity-old").mkdir()
    (tmp_path / "identity").symlink_to("identity-old")
    key = make_key()
    csr = request_for(key, "host")

    granted = Enrolment(version=1, node="n", unit="u", certificate=csr, authorities="")
    enrolment._store(tmp_path, "https://c", key, granted, clock.now())

    assert load_identity(tmp_path).node == "n"
    assert (tmp_path / "identity-old").exists()


def test_a_host_tells_its_name_its_machine_id_and_its_declared_assets() -> None:
    host = this_host(["portal"])

    assert host.name
    assert host.assets == ("portal",)


def test_the_certificate_request_names_the_host_and_is_signed_by_its_key() -> None:
    csr = request_for(make_key(), "h" * 100)

    request = x509.load_pem_x509_csr(csr.encode())

    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=" + "h" * 64


def asked_for(csr: str) -> object:
    return x509.load_pem_x509_csr(csr.encode()).public_key()


async def test_whoever_lost_the_answer_shows_the_token_with_the_same_key_again(
    far_side: FarSide, token: str, tmp_path: Path, clock: Clock
) -> None:
    async def cut(request: web.Request) -> web.StreamResponse | None:
        granted = await far_side.enrol(request)
        if len(far_side.requests) == 1:
            assert request.transport is not None
            request.transport.abort()
        return granted

    far_side.behave["/v1/enrol"] = cut
    error = await failure(token, far_side, tmp_path / "state", clock.now)
    pending = tmp_path / "state" / "enrolling.json"
    kept_as = stat.S_IMODE(pending.stat().st_mode)

    identity = await enrol(token, "", tmp_path / "state", HOST, clock.now)

    assert (error.code, kept_as) == ("unreachable", 0o600)
    first, second = (asked_for(request.csr) for request in far_side.requests)
    assert first == second
    assert (identity.folder / "key.pem").exists()
    assert not pending.exists()


@pytest.mark.parametrize("left", ["another token's", "damaged", "no key"])
async def test_a_key_left_by_something_else_is_not_shown(
    *, far_side: FarSide, token: str, tmp_path: Path, clock: Clock, left: str
) -> None:
    key, state = make_key(), tmp_path / "state"
    state.mkdir()
    digest = "0" * 64 if left == "another token's" else sha256(token.encode()).hexdigest()
    text = {"no key": "PEM", "another token's": key.decode()}.get(left, "")
    body = b"{" if left == "damaged" else msgspec.json.encode({"token": digest, "key": text})
    (state / "enrolling.json").write_bytes(body)

    await enrol(token, "", state, HOST, clock.now)

    (asked,) = far_side.requests
    assert asked_for(asked.csr) != asked_for(request_for(key, "h"))
