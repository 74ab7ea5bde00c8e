"""A collector as a node of the one above."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector

from collector.errors import PermanentError, RetryableError
from collector.trust import superior as superior_module
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
    files = [file for file in (state / "superior").rglob("*") if file.is_file()]
    assert len(files) == 4
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    assert all(folder.stat().st_mode & 0o777 == 0o700 for folder in {file.parent for file in files})
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


def held(state: Path) -> dict[str, bytes]:
    superior = read_superior(state)
    assert superior is not None
    return {file.name: file.read_bytes() for file in (state / "superior" / superior.files).iterdir()}


async def files(tower: Tower, state: Path) -> int:
    """File a report over what is kept; return the status."""
    connector = TCPConnector(ssl=superior_context(state))
    async with (
        ClientSession(tower.url, connector=connector) as session,
        session.post("/v1/filings", data=encode(FILING)) as answer,
    ):
        return answer.status


async def test_a_certificate_is_renewed_in_its_last_third_and_the_node_stays(
    tower: Tower, tmp_path: Path
) -> None:
    state = tmp_path / "below"
    superior = await join("", read_token(await tower.token("collector")), "district-1", state)
    before = held(state)

    assert not await renew(state, "district-1", tower.now)
    assert held(state) == before
    assert await renew(state, "district-1", tower.now + timedelta(days=61))
    after, renewed = held(state), read_superior(state)
    assert after["certificate.pem"] != before["certificate.pem"]
    assert after["key.pem"] != before["key.pem"]
    assert after["authorities.pem"] == before["authorities.pem"]
    assert renewed is not None
    assert (renewed.node, renewed.unit, renewed.url) == (superior.node, superior.unit, superior.url)
    assert await files(tower, state) == 200


async def test_it_is_renewed_at_once_where_that_is_wanted_and_earlier_keys_go(
    tower: Tower, tmp_path: Path
) -> None:
    state = tmp_path / "below"
    await join("", read_token(await tower.token("collector")), "district-1", state)
    seen = [held(state)["key.pem"]]
    for _ in range(3):
        assert await renew(state, "district-1", tower.now, wanted=True)
        seen.append(held(state)["key.pem"])

    assert len(set(seen)) == 4
    assert {file.read_bytes() for file in (state / "superior").rglob("key.pem")} == set(seen[-2:])


async def test_what_an_earlier_version_kept_is_read_and_renewed(tower: Tower, tmp_path: Path) -> None:
    state = tmp_path / "below"
    superior = await join("", read_token(await tower.token("collector")), "district-1", state)
    folder = state / "superior"
    for file in (folder / superior.files).iterdir():
        file.rename(folder / file.name)
    about = {"url": superior.url, "node": superior.node, "unit": superior.unit}
    (folder / "superior.json").write_bytes(encode(about))

    assert await files(tower, state) == 200
    for _ in range(2):
        assert await renew(state, "district-1", tower.now, wanted=True)
    assert await files(tower, state) == 200
    assert [file.name for file in folder.iterdir() if file.is_file()] == ["superior.json"]


@pytest.mark.parametrize("cut", range(4))
async def test_a_renewal_that_is_cut_short_leaves_what_was_held(
    tower: Tower, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    """Whichever file is the last that is written, what is held is of one piece, and is renewed later."""
    state = tmp_path / "below"
    await join("", read_token(await tower.token("collector")), "district-1", state)
    before = held(state)
    written: list[Path] = []
    write = superior_module.write_secret

    def cutting(path: Path, content: bytes) -> None:
        if len(written) == cut:
            raise OSError(28, "No space left on device")
        written.append(path)
        write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(superior_module, "write_secret", cutting)
        with pytest.raises(OSError, match="No space"):
            await renew(state, "district-1", tower.now, wanted=True)
    assert held(state) == before
    assert await files(tower, state) == 200
    assert await renew(state, "district-1", tower.now, wanted=True)
    assert held(state) != before


async def test_who_has_not_joined_has_nothing_to_renew(tmp_path: Path) -> None:
    assert not await renew(tmp_path, "district-1", datetime(2026, 3, 2, tzinfo=UTC))


async def test_a_join_that_lost_its_answer_is_the_same_node_at_the_next_try(
    tower: Tower, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, token = tmp_path / "below", read_token(await tower.token("collector"))
    ask = superior_module._ask
    lost = []

    async def cut(*words: object) -> object:
        lost.append(await ask(*words))  # type: ignore[arg-type]
        raise RetryableError("the line was cut")

    with monkeypatch.context() as patched:
        patched.setattr(superior_module, "_ask", cut)
        with pytest.raises(RetryableError):
            await join("", token, "district-1", state)

    again = await join("", token, "district-1", state)

    assert again.node == lost[0].node
    superior_context(state)
    assert not (state / "superior" / "joining.json").exists()
