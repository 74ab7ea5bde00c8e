"""`fengsui-collector token create`."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.cli import main
from collector.store import nodes, users
from collector.store.engine import Store
from collector.trust.tokens import digest, read_token
from tests.collector.ingest.tower import REGISTRY

NOW = datetime.now(UTC)  # noqa: TID251 - the command reads the same clock


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    file = tmp_path / "collector.yaml"
    file.write_text(
        "unit: city\nregistry: registry.yaml\nstate_dir: state\n"
        "listen: {agents: {port: 9443, names: [collector.example, 10.0.0.1]}}\nlanguage: en\n"
    )
    return str(file)


async def _found(config: str, secret: str) -> nodes.TokenRow | None:
    store = await Store.open(f"sqlite+aiosqlite:///{Path(config).parent / 'state/state.db'}")
    async with store.read() as connection:
        row = await nodes.find_token(connection, digest(secret), NOW)
    await store.close()
    return row


def test_a_token_names_the_collector_and_pins_its_authority(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["token", "create", "--config", config, "--unit", "city", "--expires", "2h", "--uses", "3"]
    assert main(words) == 0

    out, said = capsys.readouterr()
    token = read_token(out)
    assert token.url == "https://collector.example:9443"
    state = Path(config).parent / "state"
    assert state.stat().st_mode & 0o777 == 0o700
    assert (state / "ca.key").stat().st_mode & 0o777 == 0o600
    assert "unit city, 3 use(s)" in said
    row = asyncio.run(_found(config, token.secret))
    assert row is not None
    assert (row.unit, row.kind, row.uses_left) == ("city", "agent", 3)
    assert row.expires_at - row.created_at == timedelta(hours=2)


def test_json_is_one_document_with_the_token(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["token", "create", "--config", config, "--unit", "city", "--kind", "collector", "--json"]
    assert main(words) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["unit"], made["kind"]) == ("city", "collector")
    assert made["token"].startswith("fs1.")


def test_a_unit_the_register_has_not_is_named_with_those_it_has(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "create", "--config", config, "--unit", "town"]) == 1
    said = capsys.readouterr().err
    assert "'town'" in said
    assert "city" in said


async def _role(config: str, bearer: str) -> str | None:
    store = await Store.open(f"sqlite+aiosqlite:///{Path(config).parent / 'state/state.db'}")
    async with store.read() as connection:
        found = await users.api_token(connection, digest(bearer))
    await store.close()
    return found.role if found else None


def test_an_api_token_is_stored_as_a_digest_with_its_role(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "create", "--config", config, "--api", "metrics", "--lang", "zh"]) == 0
    out, said = capsys.readouterr()
    bearer = out.strip()
    assert "只显示这一次" in said
    assert asyncio.run(_role(config, bearer)) == "metrics"
    state = Path(config).parent / "state"
    assert not any(bearer.encode() in file.read_bytes() for file in state.iterdir() if file.is_file())


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--unit", "city", "--api", "duty"],
        ["--api", "emperor"],
        ["--unit", "city", "--expires", "soon"],
        ["--unit", "city", "--expires", "31d"],
        ["--unit", "city", "--uses", "0"],
    ],
)
def test_wrong_words_are_wrong_usage(config: str, words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["token", "create", "--config", config, *words])
    assert ended.value.code == 2


async def _ids(config: str, table: str) -> list[str]:
    store = await Store.open(f"sqlite+aiosqlite:///{Path(config).parent / 'state/state.db'}")
    async with store.read() as connection:
        found = (await connection.exec_driver_sql(f"SELECT id FROM {table}")).scalars().all()  # noqa: S608 - ours
    await store.close()
    return list(found)


@pytest.mark.parametrize(
    ("words", "table"), [(["--unit", "city"], "enrolment_tokens"), (["--api", "viewer"], "api_tokens")]
)
def test_a_token_that_was_taken_back_is_good_for_nothing_and_not_taken_back_twice(
    config: str, capsys: pytest.CaptureFixture[str], words: list[str], table: str
) -> None:
    assert main(["token", "create", "--config", config, *words]) == 0
    (identifier,) = asyncio.run(_ids(config, table))
    revoke = ["token", "revoke", identifier, "--reason", "leaked", "--config", config, "--lang", "en"]

    assert (main(revoke), main(revoke)) == (0, 1)

    assert "no token in use has this id" in capsys.readouterr().err


def test_a_bearer_that_was_taken_back_is_refused(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["token", "create", "--config", config, "--api", "viewer"])
    bearer = capsys.readouterr().out.strip()
    (identifier,) = asyncio.run(_ids(config, "api_tokens"))
    main(["token", "revoke", identifier, "--reason", "leaked", "--config", config])

    async def known() -> users.ApiToken | None:
        store = await Store.open(f"sqlite+aiosqlite:///{Path(config).parent / 'state/state.db'}")
        async with store.read() as connection:
            found = await users.api_token(connection, digest(bearer))
        await store.close()
        return found

    assert asyncio.run(known()) is None


def test_a_token_is_made_without_what_only_a_running_collector_needs() -> None:
    script = (
        "import sys, collector.cli.token, collector.app.first_start, collector.ingest.issuing\n"
        "print({'aiohttp', 'jinja2', 'sigma', 'apprise', 'babel'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert told.stdout == "set()\n"
