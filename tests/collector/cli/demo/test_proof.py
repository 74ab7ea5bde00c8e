"""A step of the demo is proved by a row, or it has not happened."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.cli.demo.proof import STEPS, find, instant, select
from collector.store.engine import Store


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'state.db'}")
    await store.close()
    return tmp_path / "state.db"


def test_before_there_is_a_database_nothing_is_proved(tmp_path: Path) -> None:
    assert find(tmp_path / "state.db", STEPS[0]) is None


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
async def test_every_query_fits_the_schema_and_finds_nothing_in_an_empty_one(
    database: Path, step: object
) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(step.query)  # type: ignore[attr-defined]

    assert find(database, step) is None  # type: ignore[arg-type]


async def test_a_step_has_the_time_of_its_row(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(
            "INSERT INTO node_facts (node, kind, body, observed_at, received_at) "
            "VALUES ('n', 'asset', '{\"a\": [1]}', "
            "'2026-03-02 01:10:00.000000', '2026-03-02 01:10:01.500000')"
        )

    proof = find(database, STEPS[2])
    assert proof is not None
    assert proof.at == datetime(2026, 3, 2, 1, 10, 1, 500000, UTC)
    assert proof.row["body"] == {"a": [1]}


def test_a_stored_time_is_utc_and_a_written_one_keeps_its_offset() -> None:
    assert instant("2026-03-02 01:10:00.000000") == instant("2026-03-02T09:10:00+08:00")


def test_a_folder_without_a_database_has_no_rows(tmp_path: Path) -> None:
    assert select(tmp_path / "nothing.db", "SELECT 1") == []
