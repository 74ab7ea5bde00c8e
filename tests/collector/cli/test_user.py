"""`fengsui-collector user`: an account is a person's own."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from collector import shipped
from collector.cli import main
from collector.store import schema, users
from collector.store.engine import Store
from collector.store.users import User
from collector.trust.users import verify_password

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> str:
    registry = shipped.configs_dir() / "registry.yaml"
    file = tmp_path / "collector.yaml"
    file.write_text(f"unit: district\nregistry: {registry}\nstate_dir: state\nlanguage: en\n")
    (tmp_path / "state").mkdir()
    return str(file)


async def _stored(config: str, *, sign_in: bool = False) -> tuple[User | None, list[str], bool]:
    """The account `li`, what the journal says of it, and whether its session lives."""
    store = await Store.open(f"sqlite+aiosqlite:///{Path(config).parent / 'state/state.db'}")
    if sign_in:
        await store.run(lambda conn: users.open_session(conn, "s", "li", NOW, NOW + timedelta(hours=1)))
    async with store.read() as conn:
        found = await users.user(conn, "li")
        query = sa.select(schema.journal.c.action).where(schema.journal.c.subject == "user:li")
        told = list((await conn.execute(query)).scalars())
        signed_in = await users.session_user(conn, "s", NOW) is not None
    await store.close()
    return found, told, signed_in


def ask(config: str, *words: str) -> int:
    return main(["user", *words, "--config", config])


def test_an_account_is_bound_to_a_person_and_its_password_is_shown_once(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(config, "add", "li", "--role", "duty", "--person", "li-na") == 0
    password = capsys.readouterr().out.strip()
    found, told, _ = asyncio.run(_stored(config))

    assert found
    assert (found.role, found.person, told) == ("duty", "li-na", ["user.added"])
    assert verify_password(found.password_argon2, password)


def test_a_new_password_signs_out_who_knew_the_old_one(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(config, "add", "li")
    old = capsys.readouterr().out.strip()
    assert asyncio.run(_stored(config, sign_in=True))[2]

    assert ask(config, "password", "li", "--json") == 0
    new = json.loads(capsys.readouterr().out)["password"]
    found, told, signed_in = asyncio.run(_stored(config))
    assert found
    assert (verify_password(found.password_argon2, new), verify_password(found.password_argon2, old)) == (
        True,
        False,
    )
    assert (told, signed_in) == (["user.added", "user.password"], False)


def test_a_disabled_account_is_none_and_its_name_stays_taken(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(config, "add", "li")
    assert ask(config, "disable", "li") == 0
    assert asyncio.run(_stored(config, sign_in=True)) == (None, ["user.added", "user.disabled"], False)

    assert (ask(config, "disable", "li"), ask(config, "password", "li"), ask(config, "add", "li")) == (
        1,
        1,
        1,
    )
    assert "li: this name is taken" in capsys.readouterr().err


def test_a_person_that_the_registry_does_not_know_gets_no_account(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(config, "add", "li", "--person", "nobody") == 1
    assert "'nobody' is not among the people" in capsys.readouterr().err
    assert asyncio.run(_stored(config))[0] is None


def test_a_name_that_no_screen_could_show_is_wrong_usage(config: str) -> None:
    with pytest.raises(SystemExit) as ended:
        ask(config, "add", "a b")
    assert ended.value.code == 2
