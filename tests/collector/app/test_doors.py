"""At the agents' door a token and a certificate count, and a classified system never gets in."""

import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from collector.app.doors import AgentsDoor
from collector.app.live import Live
from collector.eventlog.opening import open_log
from collector.store.engine import Store
from collector.store.nodes import TokenRow, add_token
from collector.trust.tokens import digest
from collector.world import load_world
from wire.codec import encode
from wire.messages import VERSION, EnrolmentRequest

CONFIGS = Path(__file__).parents[3] / "configs"
NOW = datetime.now(UTC)  # noqa: TID251 - certificates are checked against the host's clock


async def opens_none(*_: object) -> str:
    pytest.fail("an incident was opened")


@pytest.fixture
async def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The address of an open door whose register is the shipped one."""
    monkeypatch.setenv("FENGSUI_STATE_DIR", str(tmp_path))
    live = Live(load_world(str(CONFIGS / "collector.yaml"), {"FENGSUI_STATE_DIR": str(tmp_path)}))
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'state.db'}")
    log = await open_log(
        f"sqlite+aiosqlite:///{tmp_path / 'events.db'}", lambda name, error: pytest.fail(f"{name}: {error}")
    )
    async with store.write() as conn:
        token = TokenRow(
            id="t", secret_sha256=digest("secret"), unit="district", kind="agent",
            created_at=NOW, expires_at=NOW + timedelta(hours=1), uses_left=5,
        )  # fmt: skip
        await add_token(conn, token)
    agents = AgentsDoor(store, log, live, lambda: NOW, open_incident=opens_none)
    port = await agents.open("127.0.0.1", 0)
    yield f"https://127.0.0.1:{port}"
    await agents.close()
    await log.close()
    await store.close()


def request(*assets: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    pem = csr.public_bytes(serialization.Encoding.PEM).decode()
    return encode(
        EnrolmentRequest(
            version=VERSION, token="secret", csr=pem, host_name=socket.gethostname(), assets=list(assets)
        )
    )


async def enrol(door: str, folder: Path, *assets: str) -> tuple[int, str]:
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{door}/v1/enrol", data=request(*assets), ssl=context) as answer,
    ):
        return answer.status, await answer.text()


async def test_a_node_of_a_graded_system_gets_in_with_its_token(door: str, tmp_path: Path) -> None:
    status, body = await enrol(door, tmp_path, "district-portal")

    assert status == 201
    assert "BEGIN CERTIFICATE" in body


async def test_a_node_of_a_classified_system_is_refused(door: str, tmp_path: Path) -> None:
    status, body = await enrol(door, tmp_path, "district-portal", "district-classified")

    assert status == 403
    assert "district-classified is classified" in body


async def test_without_a_certificate_no_batch_is_taken(door: str, tmp_path: Path) -> None:
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{door}/v1/batches", data=b"{}", ssl=context) as answer,
    ):
        assert answer.status == 403
        assert answer.content_type == "application/problem+json"
