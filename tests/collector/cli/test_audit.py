import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from collector.cli import main
from collector.store import journal, schema
from collector.store.engine import Store

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> str:
    file = tmp_path / "collector.yaml"
    file.write_text(f"unit: county\nregistry: registry.yaml\nstate_dir: {tmp_path}\nlanguage: en\n")
    asyncio.run(_write(tmp_path))
    return str(file)


async def _write(folder: Path, forge: str = "") -> None:
    store = await Store.open(f"sqlite:///{folder / 'state.db'}")
    async with store.write() as connection:
        if forge:
            await connection.execute(
                sa.update(schema.journal).where(schema.journal.c.n == 2).values(action=forge)
            )
        else:
            entry = journal.Entry(actor="system", action="a.b", subject="x:1")
            await journal.write_all(connection, [entry] * 3, NINE)
    await store.close()


def test_a_journal_as_it_was_written_holds(settings: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", "--config", settings]) == 0
    assert capsys.readouterr().err == "the journal holds: 1 chains, 3 entries, 0 signed checkpoints\n"


def test_json_is_one_document(settings: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", "--config", settings, "--json"]) == 0
    expected = {"ok": True, "chains": 1, "entries": 3, "checkpoints": 0, "breaks": []}
    assert json.loads(capsys.readouterr().out) == expected


@pytest.mark.parametrize(
    ("language", "words"), [("en", ["breaks at entry 2", "was changed"]), ("zh", ["第 2 条", "内容被改动"])]
)
def test_a_forged_entry_is_named_with_its_place(
    settings: str, language: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_write(Path(settings).parent, forge="nothing.happened"))

    assert main(["audit", "verify", "--config", settings, "--lang", language, "--json"]) == 1
    output = capsys.readouterr()
    assert [word in output.err for word in words] == [True, True]
    (found,) = json.loads(output.out)["breaks"]
    assert (found["n"], found["why"]) == (2, "hash")


def test_settings_that_are_not_there_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", "--config", str(tmp_path / "none.yaml")]) == 1
    assert "none.yaml" in capsys.readouterr().err
