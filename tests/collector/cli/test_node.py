"""`fengsui-collector node revoke`."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from collector.cli import main
from collector.store import nodes, schema
from collector.store.engine import Store
from collector.store.nodes import NodeRow
from tests.collector.ingest.tower import REGISTRY

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
NODE = NodeRow(
    id="n1",
    unit="city",
    kind="agent",
    state="active",
    host_name="web-1",
    machine_id="m",
    assets=[],
    certificate_serial="ab",
    certificate_expires=NOW + timedelta(days=90),
    enrolled_at=NOW,
)


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    (tmp_path / "collector.yaml").write_text(
        "unit: city\nregistry: registry.yaml\nstate_dir: state\nlanguage: en\n"
    )
    (tmp_path / "state").mkdir()
    asyncio.run(_enrol(tmp_path))
    return str(tmp_path / "collector.yaml")


async def _enrol(folder: Path) -> None:
    store = await _open(folder)
    await store.run(lambda connection: nodes.add_node(connection, NODE))
    await store.close()


async def _open(folder: Path) -> Store:
    return await Store.open(f"sqlite+aiosqlite:///{folder / 'state/state.db'}")


async def _left(folder: Path) -> tuple[str, list[tuple[str, object]]]:
    store = await _open(folder)
    async with store.read() as connection:
        found = await nodes.standing(connection, "n1")
        query = sa.select(schema.journal.c.subject, schema.journal.c.detail)
        told = (await connection.execute(query.where(schema.journal.c.action == "node.revoked"))).all()
    await store.close()
    assert found
    return found.state, [(row.subject, row.detail["reason"]) for row in told]


def test_a_revoked_node_has_no_standing_and_the_journal_says_why(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["node", "revoke", "n1", "--reason", "stolen", "--json", "--config", config]
    assert main(words) == 0

    out, said = capsys.readouterr()
    assert json.loads(out) == {"node": "n1", "state": "revoked"}
    assert "refuses it within seconds" in said
    assert asyncio.run(_left(tmp_path)) == ("revoked", [("node:n1", "stolen")])


def test_a_node_that_is_not_there_or_revoked_already_is_told_and_not_journalled(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["node", "revoke", "--reason", "stolen", "--config", config, "--lang", "zh"]
    assert main([*words, "n1"]) == 0
    assert "已吊销" in capsys.readouterr().err
    assert (main([*words, "n1"]), main([*words, "n2"])) == (1, 1)
    assert "n2：没有使用此编号的在网节点" in capsys.readouterr().err
    assert len(asyncio.run(_left(tmp_path))[1]) == 1


def test_a_reason_must_be_given(config: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["node", "revoke", "n1", "--config", config])
    assert ended.value.code == 2
