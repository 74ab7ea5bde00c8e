"""A collector as a node of the one above."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector

from collector.errors import PermanentError, RetryableError
from collector.trust.superior import join, read_superior, renew, superior_context
from collector.trust.tokens import EnrolmentToken, read_token
from tests.collector.ingest.tower import Tower
from wire.codec import encode

FILING = {
    "version": 1,
    "key": "k",
    "incident_id": "i",
    "unit": "city",
    "obligation": "cn-informatization/report",
    "recipient": "informatization_authority",
    "level": "IV",
    "filed_at": "2026-03-02T04:00:00Z",
    "due_at": None,
    "complete": True,
    "incident": {},
    "content": {},
}


async def test_what_join_kept_lets_a_collector_file(tower: Tower, tmp_path: Path) -> None:
    state = tmp_path / "below"
    token = read_token(await tower.token("collector"))
    superior = await join("", token, "district-1", state)

    assert superior.url == tower.url
    assert read_superior(state) == superior
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in (state / "superior").iterdir())
    connector = TCPConnector(ssl=superior_context(state))
    async with (
        ClientSession(superior.url, connector=connector) as session,
        session.post("/v1/filings", data=encode(FILING)) as answer,
    ):
        assert (answer.status, (await answer.json())["key"]) == (200, "k")


async def test_a_listener_of_another_authority_is_not_told_the_secret(tower: Tower, tmp_path: Path) -> None:
    from collector.trust.ca import Authority  # noqa: PLC0415 - of this test only

    (tmp_path / "foreign").mkdir()
    foreign = Authority.at(tmp_path / "foreign", "foreign", tower.now)
    token = EnrolmentToken(url=tower.url, ca=foreign.der, secret="s")
    with pytest.raises(RetryableError, match="certificate"):
        await join("", token, "district-1", tmp_path / "below")
    assert read_superior(tmp_path / "below") is None


async def test_nobody_there_is_worth_another_try(tower: Tower, tmp_path: Path) -> None:
    token = EnrolmentToken(url="https://127.0.0.1:1", ca=tower.authority.der, secret="s")
    with pytest.raises(RetryableError, match="is the collector above running"):
        await join("", token, "district-1", tmp_path / "below")


def test_damaged_files_ask_to_join_again(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="join the collector above again"):
        superior_context(tmp_path)
    (tmp_path / "superior").mkdir()
    (tmp_path / "superior" / "superior.json").write_text("{")
    with pytest.raises(PermanentError, match="join the collector above again"):
        read_superior(tmp_path)


def test_the_superior_must_speak_tls_1_3(tmp_path: Path) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415 - of this test only

    from collector.trust.ca import Authority  # noqa: PLC0415 - of this test only
    from collector.trust.superior import _pinned  # noqa: PLC0415 - of this test only

    authority = Authority.at(tmp_path, "u", datetime(2026, 3, 2, tzinfo=UTC))
    assert _pinned(authority.trusted).minimum_version == ssl.TLSVersion.TLSv1_3


async def test_a_certificate_is_renewed_in_its_last_third_and_the_identity_stays(
    tower: Tower, tmp_path: Path
) -> None:
    state = tmp_path / "below"
    superior = await join("", read_token(await tower.token("collector")), "district-1", state)
    folder = state / "superior"
    before = {name: (folder / name).read_bytes() for name in ("certificate.pem", "key.pem")}

    assert not await renew(state, "district-1", tower.now)
    assert (folder / "certificate.pem").read_bytes() == before["certificate.pem"]
    assert await renew(state, "district-1", tower.now + timedelta(days=61))
    assert (folder / "certificate.pem").read_bytes() != before["certificate.pem"]
    assert (folder / "key.pem").read_bytes() == before["key.pem"]
    assert read_superior(state) == superior
    assert superior_context(state).cert_store_stats()["x509_ca"] == 1


async def test_who_has_not_joined_has_nothing_to_renew(tmp_path: Path) -> None:
    assert not await renew(tmp_path, "district-1", datetime(2026, 3, 2, tzinfo=UTC))
