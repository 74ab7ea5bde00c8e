"""The first start makes a folder for its owner alone and one account."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.app.first_start import forget_ports, know_journal, make_first_user, make_folder, write_ports
from collector.duty.checkpointing import Checkpointing
from collector.errors import PermanentError
from collector.store import journal
from collector.store.engine import Store
from collector.store.users import User, add_user, user
from collector.trust.checkpoints import KEY, journal_key
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


@pytest.fixture
async def signed(tmp_path: Path) -> AsyncIterator[Store]:
    """A database whose journal a collector with the state folder `one` has signed."""
    make_folder(tmp_path / "one")
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'state.db'}")
    async with store.write() as conn:
        await journal.write(conn, journal.Entry(actor="system", action="a.b", subject="x:1"), NOW)
    await Checkpointing(store, journal_key(tmp_path / "one"), now=lambda: NOW).seal()
    yield store
    await store.close()


async def test_a_collector_that_lacks_the_key_of_a_signed_journal_says_what_to_copy(
    signed: Store, tmp_path: Path
) -> None:
    said: list[str] = []
    make_folder(tmp_path / "two")

    with pytest.raises(PermanentError, match=r"copy ca\.key, ca\.pem, link-key and journal\.key"):
        await know_journal(signed, tmp_path / "two", said.append)

    assert list((tmp_path / "two").iterdir()) == []
    shutil.copy(tmp_path / "one" / KEY, tmp_path / "two")
    for name in ("one", "two"):
        await know_journal(signed, tmp_path / name, said.append)
    assert said == []


async def test_a_key_made_anew_by_hand_is_taken_and_told(signed: Store, tmp_path: Path) -> None:
    said: list[str] = []
    make_folder(tmp_path / "two")
    (tmp_path / "two" / KEY).write_text(f"{'5a' * 32}\n")

    await know_journal(signed, tmp_path / "two", said.append)

    assert "signed by another key" in said[0]


async def test_the_first_collector_of_a_database_needs_no_key(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'state.db'}")
    said: list[str] = []
    await know_journal(store, tmp_path, said.append)
    await store.close()

    assert said == []


def test_the_ports_are_told_and_taken_back(tmp_path: Path) -> None:
    write_ports(tmp_path, {"agents": 1, "console": 2})
    assert json.loads((tmp_path / "ports.json").read_text()) == {"agents": 1, "console": 2}

    forget_ports(tmp_path)
    forget_ports(tmp_path)
    assert not (tmp_path / "ports.json").exists()
