"""The first start makes a folder for its owner alone and one account."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.app.first_start import forget_ports, make_first_user, make_folder, write_ports
from collector.errors import PermanentError
from collector.store.engine import Store
from collector.store.users import User, add_user, user
from collector.trust.users import FIRST_USER, verify_password

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_the_state_folder_is_its_owners_alone(tmp_path: Path) -> None:
    make_folder(tmp_path / "deep" / "state")

    assert (tmp_path / "deep" / "state").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(PermanentError, match="name a folder this user may write"):
        make_folder(tmp_path / "file" / "state")


async def test_the_first_account_is_made_once_and_its_password_told(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'state.db'}")
    said: list[str] = []
    for _ in range(2):
        await make_first_user(store, tmp_path, NOW, said.append)
    password = (tmp_path / "admin-password").read_text().strip()
    async with store.read() as conn:
        admin = await user(conn, "admin")
    await store.close()

    assert len(said) == 1
    assert password in said[0]
    assert (tmp_path / "admin-password").stat().st_mode & 0o777 == 0o600
    assert admin is not None
    assert verify_password(admin.password_argon2, password)


async def test_of_collectors_that_start_together_one_makes_the_first_account(
    postgres_url: str, tmp_path: Path
) -> None:
    first, second = [await Store.open(postgres_url) for _ in range(2)]
    said: list[str] = []
    async with asyncio.TaskGroup() as group, first.write() as conn:
        await add_user(
            conn, User(name=FIRST_USER, password_argon2="", role="admin", person=None, created_at=NOW)
        )
        late = group.create_task(make_first_user(second, tmp_path, NOW, said.append))
        done, _ = await asyncio.wait([late], timeout=0.5)
        assert not done, "it waits for who was first"
    for store in (first, second):
        await store.close()

    assert said == []
    assert not (tmp_path / "admin-password").exists()


def test_the_ports_are_told_and_taken_back(tmp_path: Path) -> None:
    write_ports(tmp_path, {"agents": 1, "console": 2})
    assert json.loads((tmp_path / "ports.json").read_text()) == {"agents": 1, "console": 2}

    forget_ports(tmp_path)
    forget_ports(tmp_path)
    assert not (tmp_path / "ports.json").exists()
